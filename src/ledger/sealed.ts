/** sealed: bytes behind a version, by which a writer knows what it replaces; and compression that tells a reader when they are not whole. */
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { deflate, deflateSync, type InputType, inflate, inflateSync, type ZlibOptions } from 'node:zlib';
import { DamagedBlock } from './block/damagedBlock.ts';

/** Two versions are the same with a chance of 1 in 2^64. */
export const VERSION_BYTES = 8;

/** Up to this many bytes are compressed at once: in 0.2 to 1 ms, where asking another thread takes 1 ms itself. */
const SHORT = 64 * 1024;
/** Up to this many bytes nothing is won by compressing, and it would take longer than all else about a block. */
const TINY = 48;
/** The modulus of the checksum at the end of what is compressed. */
const ADLER = 65_521;
/**
 * With zlib's usual windows each call takes 256 kB from the system anew, which costs ten times what compressing 10 kB does.
 * Level 4: measured on batches of 2,000, level 1 takes 1 to 10 % more room, 6 three times as long for 2 % less.
 */
const SMALL: ZlibOptions = { level: 4, windowBits: 14, memLevel: 7 };

const deflated = promisify<InputType, ZlibOptions, Buffer>(deflate);
const inflated = promisify<InputType, ZlibOptions, Buffer>(inflate);

/** Asking for many at once takes no longer than asking for one. */
const VERSIONS_AT_ONCE = 128;
const versions = { bytes: Buffer.alloc(0), used: 0 };

function newVersion(): Uint8Array {
  if (versions.used === versions.bytes.length) {
    versions.bytes = randomBytes(VERSIONS_AT_ONCE * VERSION_BYTES);
    versions.used = 0;
  }
  versions.used += VERSION_BYTES;
  return versions.bytes.subarray(versions.used - VERSION_BYTES, versions.used);
}

/** The parts, one after the other, as a new version. */
export function seal(parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([newVersion(), ...parts]);
}

/** What was sealed. Throws `DamagedBlock` when nothing was. */
export function unseal(sealed: Buffer): Buffer {
  if (sealed.length < VERSION_BYTES) throw new DamagedBlock('it has no version');
  return sealed.subarray(VERSION_BYTES);
}

/** Compresses quickly, with a checksum; what is long beside the caller. */
export async function compress(bytes: Uint8Array): Promise<Buffer> {
  return bytes.length <= SHORT ? compressNow(bytes) : await deflated(bytes, { level: 4 });
}

/** The same at once, for what is short. */
export function compressNow(bytes: Uint8Array): Buffer {
  return bytes.length <= TINY ? stored(bytes) : deflateSync(bytes, SMALL);
}

/** In the form of what is compressed, but as it is: one stored block (RFC 1950, RFC 1951). */
function stored(bytes: Uint8Array): Buffer {
  const { length } = bytes;
  const all = Buffer.alloc(7 + length + 4);
  // Windows of 32 kB, the fastest way; then the last block, not compressed, its length, and that inverted.
  all.set([0x78, 0x01, 0x01, length & 0xff, length >>> 8, ~length & 0xff, (~length >>> 8) & 0xff]);
  all.set(bytes, 7);
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % ADLER;
    b = (b + a) % ADLER;
  }
  all.writeUInt16BE(b, 7 + length);
  all.writeUInt16BE(a, 7 + length + 2);
  return all;
}

/** Compresses well, beside the caller, with a checksum: what stays for months, and is written seldom. */
export async function compressWell(text: string): Promise<Buffer> {
  return await deflated(text, { level: 6 });
}

/** Decompresses; what is long beside the caller. Rejects with `DamagedBlock` when it is not what was compressed, or longer than `mostBytes`. */
export async function decompress(bytes: Uint8Array, mostBytes: number): Promise<Buffer> {
  try {
    const options = { maxOutputLength: mostBytes, chunkSize: Math.min(SHORT, mostBytes) };
    return bytes.length <= SHORT ? inflateSync(bytes, options) : await inflated(bytes, options);
  } catch (error) {
    throw new DamagedBlock('can not be decompressed', { cause: error });
  }
}
