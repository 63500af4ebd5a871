/** follow run: passes on to the recorder what a run tells its observer of who is to go, and of what went. */
import { namesWithin } from '../../domain/names.ts';
import type { Condemned, NamedRemoval, Removal, Removed } from '../../domain/removal.ts';
import { PartNames } from './partNames.ts';
import type { RunRecorder } from './recorder.ts';
import type { Going, Swept } from '../swept/sweptLog.ts';

/** To name so many takes a few tens of milliseconds, in which nothing else is done. */
const NAMES_AT_ONCE = 2_500;
const NO_NAMES: readonly Uint8Array[] = [];

function* goingOf(next: Iterable<Condemned>, nameBytes: number): Generator<Going> {
  for (const one of next) {
    const { coordinator, swarm, beatAtSeconds, silentSeconds } = one;
    const names = nameBytes === 0 ? NO_NAMES : namesWithin(one.names(), nameBytes);
    yield { coordinator, swarm, beatMs: beatAtSeconds * 1000, silenceSeconds: silentSeconds, names };
  }
}

function sweptOf(
  { coordinator, swarm, beatAtSeconds, silentSeconds, keys }: Removal,
  names: readonly Uint8Array[],
): Swept {
  const beatMs = beatAtSeconds * 1000;
  return { coordinator, swarm, beatMs, silenceSeconds: silentSeconds, keysByFamily: keys, names };
}

/** What observes one run; its methods never reject, and but for names it keeps nothing of what it is given. */
export class RunFollower {
  /** `null` where names are not recorded. */
  readonly #names: PartNames | null;

  constructor(private readonly recorder: RunRecorder) {
    this.#names = recorder.nameBytes === 0 ? null : new PartNames(recorder.nameBytes);
  }

  /** What a run is to tell. */
  get observer() {
    return {
      ...(this.#names === null ? {} : { namesAtOnce: NAMES_AT_ONCE }),
      condemn: async (next: Iterable<Condemned>): Promise<void> => await this.condemn(next),
      removed: (removed: Removed): void => this.removed(removed),
      left: (left: Iterable<Removal>): void => this.left(left),
    };
  }

  /** Resolves once it stands in the ledger who is about to go, or it can't. */
  async condemn(next: Iterable<Condemned>): Promise<void> {
    await this.recorder.removing(goingOf(next, this.recorder.nameBytes));
  }

  removed({ removals }: Removed): void {
    this.recorder.removed(this.#sweptIn(removals));
  }

  /** Of whom only parts went stands in the ledger, too. */
  left(left: Iterable<Removal>): void {
    this.recorder.removed(this.#partsOf(left));
  }

  *#sweptIn(removals: Iterable<NamedRemoval>): Generator<Swept> {
    for (const removal of removals) {
      if (removal.swept) yield sweptOf(removal, this.#names?.take(removal, removal.names()) ?? NO_NAMES);
      else this.#names?.keep(removal, removal.names());
    }
  }

  *#partsOf(left: Iterable<Removal>): Generator<Swept> {
    for (const one of left) yield sweptOf(one, this.#names?.take(one, NO_NAMES) ?? NO_NAMES);
  }
}
