/** sealed: bytes behind a version, by which a writer knows what it replaces; and compression that tells a reader when they are not whole. */
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { deflate, type InputType, inflate, type ZlibOptions } from 'node:zlib';
import { DamagedBlock } from './block/damagedBlock.ts';

/** Two versions are the same with a chance of 1 in 2^64. */
export const VERSION_BYTES = 8;

const deflated = promisify<InputType, ZlibOptions, Buffer>(deflate);
const inflated = promisify<InputType, ZlibOptions, Buffer>(inflate);

/** The parts, one after the other, as a new version. */
export function seal(parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([randomBytes(VERSION_BYTES), ...parts]);
}

/** What was sealed. Throws `DamagedBlock` when nothing was. */
export function unseal(sealed: Buffer): Buffer {
  if (sealed.length < VERSION_BYTES) throw new DamagedBlock('it has no version');
  return sealed.subarray(VERSION_BYTES);
}

/** Compresses beside the caller, with a checksum. */
export async function compress(bytes: Uint8Array | string, options: ZlibOptions): Promise<Buffer> {
  return await deflated(bytes, options);
}

/** Decompresses beside the caller. Rejects with `DamagedBlock` when it is not what was compressed, or longer than `mostBytes`. */
export async function decompress(bytes: Uint8Array, mostBytes: number): Promise<Buffer> {
  try {
    return await inflated(bytes, { maxOutputLength: mostBytes });
  } catch (error) {
    throw new DamagedBlock('can not be decompressed', { cause: error });
  }
}
