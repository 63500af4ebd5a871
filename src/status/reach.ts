/** reach: which targets do not answer just now, or take no writes, so that nobody can beat there. */
import type { Config, TargetConfig } from '../config/resolve.ts';
import { Failure, sentenceOf } from '../domain/failure.ts';

/** Targets are asked no oftener, in ms. */
const REACH_EVERY_MS = 3_000;

/** Why a target does not serve. */
export interface Unserving {
  /** Whether it answers at all. */
  readonly answers: boolean;
  readonly why: string;
}

/** Those that do not, by name. */
export type Unreachable = ReadonlyMap<string, Unserving>;

/** Asks a target; why it takes no writes, `null` where it does. To settle within seconds; fails where it does not answer. */
export type AskTarget = (target: TargetConfig) => Promise<string | null>;

/** Asks all targets at once. Whoever answers that it may not be asked is there. */
export async function unreachableAmong(targets: Config['targets'], ask: AskTarget): Promise<Unreachable> {
  const unreachable = new Map<string, Unserving>();
  await Promise.all(
    [...targets.values()].map(async (target) => {
      try {
        const why = await ask(target);
        if (why !== null) unreachable.set(target.name, { answers: true, why });
      } catch (error) {
        const why = sentenceOf(error);
        if (!why.startsWith('NOPERM')) unreachable.set(target.name, { answers: false, why });
      }
    }),
  );
  return unreachable;
}

/** The same for whoever can't wait for it: as it was heard last. */
export class Reach {
  #heard: Unreachable = new Map();
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly targets: Config['targets'],
    private readonly ask: AskTarget,
  ) {}

  /** As far as that is known; they are asked again beside, so that who is slow to say that it is there keeps nobody. */
  get known(): Unreachable {
    if (performance.now() - this.#askedAt >= REACH_EVERY_MS) {
      this.#askedAt = performance.now();
      void unreachableAmong(this.targets, this.ask).then((unreachable) => {
        this.#heard = unreachable;
      });
    }
    return this.#heard;
  }

  /** Fails (`UNREACHABLE`) where a target does not answer: at once where that is known, else within seconds. */
  async insistOn(target: TargetConfig): Promise<void> {
    const known = this.known.get(target.name);
    if (known?.answers === false) throw new Failure('UNREACHABLE', known.why);
    try {
      await this.ask(target);
    } catch (error) {
      const why = sentenceOf(error);
      if (!why.startsWith('NOPERM')) throw new Failure('UNREACHABLE', why, { cause: error });
    }
  }
}
