/** decisive: the settings of a target that decide who goes, as each who shares a queue has them.
 *
 *  Two deployments may clean the same target by other settings, and while a new configuration is rolled out they do: whoever happens to take
 *  a run would sweep those who live, or are protected, for the other. So of what keeps things from going the most careful holds; of the
 *  rest it is said where they differ. */
import * as v from 'valibot';
import type { TargetConfig } from './resolve.ts';

const seconds = v.pipe(v.number(), v.finite(), v.minValue(1));

const DECISIVE = v.object({
  staleAfter: seconds,
  minStaleAfter: seconds,
  mode: v.picklist(['sweep', 'observe']),
  maxStale: v.nullable(v.pipe(v.number(), v.minValue(0))),
  maxStaleFraction: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  protect: v.array(v.string()),
  orphans: v.array(v.string()),
  suddenSilence: v.union([v.literal(false), v.object({ fraction: v.number(), from: v.number() })]),
  restartGrace: v.boolean(),
  trash: v.unknown(),
});

/** By the names that people set them by; it travels as JSON. */
export type Decisive = v.InferOutput<typeof DECISIVE>;

export function decisiveOf(target: TargetConfig): Decisive {
  const { mode, maxStale = null, maxStaleFraction, protect, orphans, suddenSilence, restartGrace, trash } = target;
  const { staleAfterSeconds: staleAfter, minStaleAfterSeconds: minStaleAfter } = target;
  const careful = { staleAfter, minStaleAfter, mode, maxStale, maxStaleFraction };
  return { ...careful, protect: protect.toSorted(), orphans: orphans.toSorted(), suddenSilence, restartGrace, trash };
}

/** What somebody said of them; `null` where that can't be understood, as of another version. */
export function decisiveIn(said: unknown): Decisive | null {
  const result = v.safeParse(DECISIVE, said);
  return result.success ? result.output : null;
}

/** Which of them others have otherwise. */
export function differing(ours: Decisive, theirs: Decisive): readonly string[] {
  const names = Object.keys(ours) as (keyof Decisive)[];
  return names.filter((name) => JSON.stringify(ours[name]) !== JSON.stringify(theirs[name]));
}

/** What holds whoever one of the two would hold. */
function sooner(one: Decisive['suddenSilence'], other: Decisive['suddenSilence']): Decisive['suddenSilence'] {
  if (one === false || other === false) return one || other;
  return { fraction: Math.max(one.fraction, other.fraction), from: Math.min(one.from, other.from) };
}

/** This target, with the most careful of its own settings and these. */
export function mostCareful(target: TargetConfig, others: readonly Decisive[]): TargetConfig {
  let careful = target;
  for (const other of others) {
    const least = Math.min(careful.maxStale ?? Number.POSITIVE_INFINITY, other.maxStale ?? Number.POSITIVE_INFINITY);
    careful = {
      ...careful,
      staleAfterSeconds: Math.max(careful.staleAfterSeconds, other.staleAfter),
      minStaleAfterSeconds: Math.max(careful.minStaleAfterSeconds, other.minStaleAfter),
      mode: other.mode === 'observe' ? 'observe' : careful.mode,
      maxStale: least === Number.POSITIVE_INFINITY ? undefined : least,
      maxStaleFraction: Math.min(careful.maxStaleFraction, other.maxStaleFraction),
      protect: [...new Set([...careful.protect, ...other.protect])],
      orphans: careful.orphans.filter((family) => other.orphans.includes(family)),
      suddenSilence: sooner(careful.suddenSilence, other.suddenSilence),
      restartGrace: careful.restartGrace || other.restartGrace,
    };
  }
  return careful;
}
