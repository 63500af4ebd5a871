/** retrying: something that may succeed in a moment, tried again: how often, and after which pauses. */
import type { Options } from 'p-retry';

/** With pauses of 0.1 to 2 s between them, long enough to outlive a script that Redis reports as BUSY after 5 s. */
const RETRIES = { retries: 6, minTimeout: 100, maxTimeout: 2_000, randomize: true } as const;

/** What `attempt` resolves to, at the first or a later try; its last error when none of them succeeds, or none is worth another. */
export async function retrying<T>(attempt: () => Promise<T>, options: Options): Promise<T> {
  let first: { readonly error: unknown } | null;
  try {
    return await attempt();
  } catch (error) {
    first = { error };
  }
  const again = async (): Promise<T> => {
    if (first === null) return await attempt();
    const { error } = first;
    first = null;
    throw error;
  };
  // Loaded when first needed, which for most runs is never.
  const { default: pRetry } = await import('p-retry');
  return await pRetry(again, { ...RETRIES, ...options });
}
