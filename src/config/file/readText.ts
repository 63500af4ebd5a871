/** readText: a file that a setting names, as text. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { Failure } from '../../domain/failure.ts';

/** More than any configuration or certificate needs. What has no end, such as a device, must end here. */
const MOST_BYTES = 1024 * 1024;

/** What a path leads to that can't be read to its end; `null` for all else. A device says so itself, or has no end. */
function unreadableKindOf(stats: Stats): string | null {
  if (stats.isDirectory()) return 'a folder';
  return stats.isFIFO() ? 'a pipe' : null;
}

function readUpTo(name: string, mostBytes: number): Buffer {
  // A pipe that nobody writes to would be waited for as it is opened, and a terminal as it is read.
  const file = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const kind = unreadableKindOf(fstatSync(file));
    if (kind !== null) throw new NotAFile(kind);
    const bytes = Buffer.alloc(mostBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length <= mostBytes; length += read) {
      read = readSync(file, bytes, length, bytes.length - length, null);
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

class NotAFile extends Error {}

/** Reads it. Fails (`CONFIG`) with a sentence that begins with `what`, such as "the file x". */
export function readText(name: string, what: string): string {
  let bytes: Buffer;
  try {
    bytes = readUpTo(name, MOST_BYTES);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'does not exist' : `can't be read (${code})`;
    if (error instanceof NotAFile) throw new Failure('CONFIG', `${what} is ${message}; name a file`);
    throw new Failure('CONFIG', `${what} ${why}`, { cause: error });
  }
  if (bytes.length > MOST_BYTES) throw new Failure('CONFIG', `${what} holds more than 1 MB`);
  return bytes.toString('utf8');
}
