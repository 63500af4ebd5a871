/** progressIn: how far a run has come, as its worker said last. Anyone may write a job's progress, so it is checked before it is shown. */
import * as v from 'valibot';

const count = v.pipe(v.number(), v.finite(), v.minValue(0));
const PROGRESS = v.object({
  phase: v.pipe(v.string(), v.maxLength(20)),
  percent: v.pipe(count, v.maxValue(100)),
  checked: count,
  stale: count,
  swept: count,
  keys: count,
});

export type Progress = v.InferOutput<typeof PROGRESS>;

/** `null` where it has told nothing yet, or nothing that can be read. */
export function progressIn(progress: unknown): Progress | null {
  const result = v.safeParse(PROGRESS, progress);
  return result.success ? result.output : null;
}
