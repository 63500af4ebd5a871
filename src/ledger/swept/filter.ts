/** filter: tells of most ids that they are not in a batch, without reading it: a Bloom filter of 8 bits for each id.
 * With 5 hashes 2 % of those that are not there look as if they were. (https://en.wikipedia.org/wiki/Bloom_filter)
 */

export const BITS_PER_ID = 8;
const HASHES = 5;

/** Two hashes of which the others are made; the same in every process, since what they find stands in Redis. */
const hash = new Uint32Array(2) as Uint32Array & [number, number];

function take(bytes: Uint8Array, from: number, to: number): void {
  let one = 0x811c9dc5;
  let other = 0x9747b28c;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    one = Math.imul(one ^ byte, 0x0100_0193);
    other = Math.imul(other ^ byte, 0x85eb_ca6b);
    other ^= other >>> 15;
  }
  one = Math.imul(one ^ (one >>> 16), 0xc2b2_ae35);
  hash[0] = one ^ (one >>> 13);
  hash[1] = other ^ (other >>> 13);
}

/** One of the bits of what was taken last, in a filter of so many. */
function bitAt(nth: number, bits: number): number {
  return (hash[0] + nth * hash[1]) % bits;
}

/** The bits, in a filter of so many, at least one, that are set where an id was noted. */
export function bitsOf(bytes: Uint8Array, bits: number): number[] {
  take(bytes, 0, bytes.length);
  return Array.from({ length: HASHES }, (_, i) => bitAt(i, bits));
}

/** How many bits of a filter each id sets. */
export const BITS_SET = HASHES;

/** What an id is found by in filters of any length: the nth of its bits is the first and n times the second, modulo their number. */
export function hashesOf(id: Uint8Array): readonly [number, number] {
  take(id, 0, id.length);
  return [hash[0], hash[1]];
}

/** Notes an id. `filter` has at least one byte. */
export function addId(filter: Uint8Array, bytes: Uint8Array, from: number, to: number): void {
  take(bytes, from, to);
  const bits = filter.length * 8;
  for (let i = 0; i < HASHES; i++) {
    const bit = bitAt(i, bits);
    filter[bit >>> 3] = (filter[bit >>> 3] as number) | (1 << (bit & 7));
  }
}

/** Whether it may have been noted; `false` is certain. */
export function mayHold(filter: Uint8Array, id: Uint8Array): boolean {
  const bits = filter.length * 8;
  return bits > 0 && bitsOf(id, bits).every((bit) => ((filter[bit >>> 3] as number) & (1 << (bit & 7))) !== 0);
}
