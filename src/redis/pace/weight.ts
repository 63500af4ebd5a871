/** weight: how much work a name or a value is for Redis, in keys of ordinary names: long ones take it longer to read than to remove. */

/** So many bytes take about as long as a key to remove. */
const BYTES_LIKE_A_KEY = 512;

/** Of a name of so many bytes, or of a value that is compared: 1 for ordinary ones. */
export function weightOfBytes(bytes: number): number {
  return 1 + Math.floor(bytes / BYTES_LIKE_A_KEY);
}

/**
 * All of them in order, in pieces that each come to no more than one call may handle; what alone is more is a piece of its own.
 * @param most asked anew for each piece
 */
export function* piecesOf<T>(
  all: readonly T[],
  most: () => number,
  bytesOf: (one: T) => number,
): Generator<readonly T[]> {
  for (let from = 0; from < all.length; ) {
    const limit = most();
    let to = from;
    for (let weight = 0; to < all.length; to++) {
      weight += weightOfBytes(bytesOf(all[to] as T));
      if (to > from && weight > limit) break;
    }
    yield all.slice(from, to);
    from = to;
  }
}
