/** proof: what stands for a heartbeat's value when it is compared in Redis, so that no call carries megabytes, and a worker need
 * not keep them: the value itself, or its SHA-1, as `lua/sweep.lua` has it: 40 digits behind a `#`, which no JSON begins with.
 */
import { hash } from 'node:crypto';
import type { Bulk } from '../call/bulk.ts';

/**
 * Longer values are kept as digests. To take one costs the worker 1 to 2 µs, and Redis as much: of 100,000 values of 120 bytes it took a
 * run's Redis 4 % of its time.
 */
const LONGEST_VALUE = 256;
/** The same where memory is short. A digest never stands for a shorter one. */
const LONGEST_SHORT_VALUE = 64;
const MARK = 0x23;
const DIGITS = Buffer.from('0123456789abcdef', 'latin1');
/** The mark and the digits of the digest that was added last. */
const spelled = Buffer.alloc(41, MARK);

/** What is kept of a value until it is to be proved: itself, or its digest. */
export function keptOf(value: Buffer, isTight: boolean): Buffer {
  return value.length <= (isTight ? LONGEST_SHORT_VALUE : LONGEST_VALUE) ? value : hash('sha1', value, 'buffer');
}

/** Adds the proof of a value of so many bytes, of which that was kept. */
export function addProof(proofs: Bulk, kept: Uint8Array, from: number, to: number, valueBytes: number): void {
  if (to - from === valueBytes) {
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

/** Whether a proof is that of this value. */
export function isProofOf(proof: Uint8Array, value: Buffer): boolean {
  if (value.equals(proof)) return true;
  return value.length > LONGEST_SHORT_VALUE && Buffer.from(`#${hash('sha1', value)}`, 'latin1').equals(proof);
}
