/** carefulness: what keeps a target's things from going, as each who shares the queue has it configured; of all of them, the most careful
 * holds.
 *
 *  Two deployments may clean the same target by other settings, and while a new configuration is rolled out they do: whoever happens
 *  to take a run would sweep those who live, or are protected, for the other. */
import * as v from 'valibot';
import type { TargetConfig } from '../config/resolve.ts';

const CAREFULNESS = v.object({
  staleAfterSeconds: v.pipe(v.number(), v.finite(), v.minValue(1)),
  minStaleAfterSeconds: v.pipe(v.number(), v.finite(), v.minValue(1)),
  observes: v.boolean(),
  protect: v.array(v.string()),
  orphans: v.array(v.string()),
  maxStaleFraction: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  maxStale: v.optional(v.pipe(v.number(), v.minValue(0))),
});

/** What keeps things of a target from going. It travels as JSON. */
export type Carefulness = v.InferOutput<typeof CAREFULNESS>;

export function carefulnessOf(target: TargetConfig): Carefulness {
  const { staleAfterSeconds, minStaleAfterSeconds, mode, protect, orphans, maxStaleFraction, maxStale } = target;
  return {
    staleAfterSeconds,
    minStaleAfterSeconds,
    observes: mode === 'observe',
    protect: [...protect],
    orphans: [...orphans],
    maxStaleFraction,
    ...(maxStale === undefined ? {} : { maxStale }),
  };
}

/** What somebody said of it; `null` where that can't be understood, as of another version. */
export function carefulnessIn(said: unknown): Carefulness | null {
  const result = v.safeParse(CAREFULNESS, said);
  return result.success ? result.output : null;
}

/** This target, with the most careful of its own settings and these. */
export function mostCareful(target: TargetConfig, others: readonly Carefulness[]): TargetConfig {
  let careful = target;
  for (const other of others) {
    careful = {
      ...careful,
      staleAfterSeconds: Math.max(careful.staleAfterSeconds, other.staleAfterSeconds),
      minStaleAfterSeconds: Math.max(careful.minStaleAfterSeconds, other.minStaleAfterSeconds),
      mode: other.observes ? 'observe' : careful.mode,
      protect: [...new Set([...careful.protect, ...other.protect])],
      orphans: careful.orphans.filter((family) => other.orphans.includes(family)),
      maxStaleFraction: Math.min(careful.maxStaleFraction, other.maxStaleFraction),
      maxStale:
        other.maxStale === undefined ? careful.maxStale : Math.min(careful.maxStale ?? other.maxStale, other.maxStale),
    };
  }
  return careful;
}
