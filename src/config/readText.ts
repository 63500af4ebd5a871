/** readText: a file that a setting names, as text. */
import { closeSync, openSync, readSync } from 'node:fs';
import { Failure } from '../domain/failure.ts';

/** More than any configuration or certificate needs. What has no end, such as a device, must end here. */
const MOST_BYTES = 1024 * 1024;

const readUpTo = (name: string, mostBytes: number): Buffer => {
  const file = openSync(name, 'r');
  try {
    const bytes = Buffer.alloc(mostBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length <= mostBytes; length += read) {
      read = readSync(file, bytes, length, bytes.length - length, null);
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
};

/** Reads it. Fails (`CONFIG`) with a sentence that begins with `what`, such as "the file x". */
export const readText = (name: string, what: string): string => {
  let bytes: Buffer;
  try {
    bytes = readUpTo(name, MOST_BYTES);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' ? 'does not exist' : `can't be read (${code})`;
    throw new Failure('CONFIG', `${what} ${why}`, { cause: error });
  }
  if (bytes.length > MOST_BYTES) throw new Failure('CONFIG', `${what} holds more than 1 MB`);
  return bytes.toString('utf8');
};
