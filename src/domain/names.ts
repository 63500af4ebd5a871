/** names: lists of key names that are kept, within bounds. */

/** What a name takes beside its bytes, about. */
const OVERHEAD = 2;

/** What these names take, in bytes. */
export function nameBytesIn(names: readonly Uint8Array[]): number {
  return names.reduce((sum, { length }) => sum + length + OVERHEAD, 0);
}

/** Copies of as many of these names as take no more than so many bytes together, from the first on. */
export function namesWithin(names: Iterable<Uint8Array>, mostBytes: number): Uint8Array[] {
  const some: Uint8Array[] = [];
  let bytes = 0;
  for (const name of names) {
    bytes += name.length + OVERHEAD;
    if (bytes > mostBytes) break;
    some.push(Uint8Array.from(name));
  }
  return some;
}
