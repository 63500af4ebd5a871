/** follow run: passes on to the recorder what a run tells its observer of who is to go, and of what went. */
import { namesWithin } from '../../domain/names.ts';
import type { Condemned, Removed } from '../../domain/removal.ts';
import { type WholeRemoval, WholeRemovals } from '../../domain/wholeRemovals.ts';
import type { RunRecorder } from './recorder.ts';
import type { Going, Swept } from '../swept/sweptLog.ts';

const NO_NAMES: readonly Uint8Array[] = [];

function* goingOf(next: Iterable<Condemned>, nameBytes: number): Generator<Going> {
  for (const one of next) {
    const { coordinator, swarm, beatAtSeconds, silentSeconds } = one;
    const names = nameBytes === 0 ? NO_NAMES : namesWithin(one.names(), nameBytes);
    yield { coordinator, swarm, beatMs: beatAtSeconds * 1000, silenceSeconds: silentSeconds, names };
  }
}

function sweptOf({ coordinator, swarm, beatAtSeconds, silentSeconds, keys, names }: WholeRemoval): Swept {
  const beatMs = beatAtSeconds * 1000;
  return { coordinator, swarm, beatMs, silenceSeconds: silentSeconds, keysByFamily: keys, names };
}

/** The observer of one run; its methods never reject, and `removed` keeps nothing of what it is given. */
export class RunFollower {
  readonly #wholes: WholeRemovals;

  constructor(private readonly recorder: RunRecorder) {
    this.#wholes = new WholeRemovals(recorder.nameBytes);
  }

  /** Resolves once it stands in the ledger who is about to go, or it can't. */
  async condemn(next: Iterable<Condemned>): Promise<void> {
    await this.recorder.removing(goingOf(next, this.recorder.nameBytes));
  }

  removed({ removals }: Removed): void {
    this.recorder.removed(this.#sweptIn(removals));
  }

  *#sweptIn(removals: Removed['removals']): Generator<Swept> {
    for (const removal of removals) {
      const whole = this.#wholes.take(removal);
      if (whole !== null) yield sweptOf(whole);
    }
  }

  /** To be called before the run ends: of whom only parts went, these stand in the ledger too. */
  finish(): void {
    const rest = this.#wholes.takeRest();
    if (rest.length > 0) this.recorder.removed(rest.map(sweptOf));
  }
}
