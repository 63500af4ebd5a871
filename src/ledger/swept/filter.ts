/** filter: tells of most ids that they are not in a page or a batch, without reading it: a Bloom filter with some bits for each id. With 5
 * hashes and 8 bits 2 % of those that are not there look as if they were, with 16 bits one in 700. (https://en.wikipedia.org/wiki/Bloom_filter)
 */

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

/** What the bits of an id are made of, in filters of any length. */
export type Hashes = readonly [number, number];

export function hashesOf(id: Uint8Array): Hashes {
  take(id, 0, id.length);
  return [hash[0], hash[1]];
}

/** Whether the id of these hashes may have been noted in a filter that has a byte in each character; `false` is certain. */
export function mayHoldHashed(filter: string, [one, other]: Hashes): boolean {
  const bits = filter.length * 8;
  if (bits === 0) return false;
  for (let nth = 0; nth < HASHES; nth++) {
    const bit = (one + nth * other) % bits;
    if ((filter.charCodeAt(bit >>> 3) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
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
