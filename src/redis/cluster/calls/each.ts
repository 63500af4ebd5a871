/** each: many things done side by side, but not all at once. */

/** So many calls are on their way at once, to all nodes together: each has one to do while the next one travels. */
const UNDER_WAY = 64;

/** Works through all of them; throws what the first that failed threw, once all that were begun have ended. */
export async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let at = 0;
  let failed: { readonly error: unknown } | null = null;
  const lane = async () => {
    while (at < items.length && failed === null) {
      try {
        await work(items[at++] as T);
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(UNDER_WAY, items.length) }, lane));
  const { error } = (failed as { readonly error: unknown } | null) ?? {};
  if (failed !== null) throw error;
}
