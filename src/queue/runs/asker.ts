/** asker: who asked for a run of the queue. It stands with the job's options, which workers of any version take as they are: they refuse
 * data that they do not know. */
import type { Job, JobsOptions } from 'bullmq';

/** As long as a user at a host may be called. */
const MOST_TEXT = 128;

/** A job's options with who asked for it, such as `user@host`. */
export interface AskedOptions extends JobsOptions {
  readonly by?: string;
}

/** These options with who asks, where that is known. */
export function askedBy(options: JobsOptions, by: string | null): AskedOptions {
  return by === null ? options : { ...options, by: by.slice(0, MOST_TEXT) };
}

/** Who asked for it; `null` where its options do not say. Anybody may have written them. */
export function askerOf({ opts }: Pick<Job, 'opts'>): string | null {
  const { by } = opts as { readonly by?: unknown };
  return typeof by === 'string' && by !== '' ? by.slice(0, MOST_TEXT) : null;
}
