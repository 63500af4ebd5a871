/** filter: tells of most ids that they are not in a batch, without reading it: a Bloom filter of 8 bits for each id.
 * With 5 hashes 2 % of those that are not there look as if they were. (https://en.wikipedia.org/wiki/Bloom_filter)
 */

export const BITS_PER_ID = 8;
const HASHES = 5;

/** Two hashes of which the others are made; the same in every process, since what they find stands in Redis. */
const hash = { one: 0, other: 0 };

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
  hash.one = (one ^ (one >>> 13)) >>> 0;
  hash.other = (other ^ (other >>> 13)) >>> 0;
}

/** Notes an id. `filter` has at least one byte. */
export function addId(filter: Uint8Array, bytes: Uint8Array, from: number, to: number): void {
  take(bytes, from, to);
  const bits = filter.length * 8;
  // What `one + i * other` leaves when it is divided by `bits`, without a division each.
  const step = hash.other % bits;
  for (let i = 0, bit = hash.one % bits; i < HASHES; i++) {
    filter[bit >>> 3] = (filter[bit >>> 3] as number) | (1 << (bit & 7));
    bit += step;
    if (bit >= bits) bit -= bits;
  }
}

/** Whether it may have been noted; `false` is certain. */
export function mayHold(filter: Uint8Array, id: Uint8Array): boolean {
  take(id, 0, id.length);
  const bits = filter.length * 8;
  for (let i = 0; bits > 0 && i < HASHES; i++) {
    const bit = (hash.one + i * hash.other) % bits;
    if (((filter[bit >>> 3] as number) & (1 << (bit & 7))) === 0) return false;
  }
  return bits > 0;
}
