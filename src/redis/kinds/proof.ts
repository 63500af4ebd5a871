/** proof: what stands for a heartbeat's value when it is compared in Redis, so that no call carries megabytes, and a worker need
 * not keep them. Taking the digest of 150 bytes costs Redis as much as reading them twice: at 100,000 coordinators no difference
 * was seen, and the worker keeps a quarter less.
 */
import { hash } from 'node:crypto';
import type { Bulk } from '../call/bulk.ts';

/** Longer values are compared by their SHA-1, as `lua/sweep.lua` has it: 40 digits behind a `#`, which no JSON begins with. */
const LONGEST_VALUE = 64;
const MARK = 0x23;
const DIGITS = Buffer.from('0123456789abcdef', 'latin1');
/** The mark and the digits of the digest that was added last. */
const spelled = Buffer.alloc(41, MARK);

/** The proof of a value: itself, or its digest. */
export function proofOf(value: Buffer): Buffer {
  if (value.length <= LONGEST_VALUE) return value;
  return Buffer.from(`#${hash('sha1', value)}`, 'latin1');
}

/** What is kept of a value until it is to be proved: itself, or its digest in half the bytes. */
export function keptOf(value: Buffer): Buffer {
  return value.length <= LONGEST_VALUE ? value : hash('sha1', value, 'buffer');
}

/** Adds the proof of a value of so many bytes, of which that was kept. */
export function addProof(proofs: Bulk, kept: Uint8Array, from: number, to: number, valueBytes: number): void {
  if (valueBytes <= LONGEST_VALUE) {
    proofs.add(kept, from, to);
    return;
  }
  for (let at = from, into = 1; at < to; at++) {
    const byte = kept[at] as number;
    spelled[into++] = DIGITS[byte >>> 4] as number;
    spelled[into++] = DIGITS[byte & 15] as number;
  }
  proofs.add(spelled);
}
