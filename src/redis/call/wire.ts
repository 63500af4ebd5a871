/** wire: a command and its reply as they travel. Names and values travel byte for byte. */
import { Bulk, takeBuffer } from './bulk.ts';
import { Command } from '../connection/ioredis.ts';

/** One reply as Redis sends it; bulk strings are byte strings (latin1), or Buffers for those who asked for bytes. */
export type Reply = string | number | null | Buffer | Reply[];

/** A text is sent as latin1, one byte a character; a bulk stands for all its arguments. */
export type Argument = string | number | Bulk;

/** A command and its arguments. */
export type Order = readonly [name: string, args: readonly Argument[]];

/** A command that travels as it was encoded here: ioredis would send texts as UTF-8, and a bulk one by one. */
export class EncodedCommand extends Command {
  constructor(
    name: string,
    private readonly encoded: Buffer,
    replyEncoding: 'latin1' | null,
  ) {
    super(name, [], { replyEncoding });
  }

  override toWritable(): Buffer {
    return this.encoded;
  }
}

/** A command as it travels: so many bytes of a buffer of `takeBuffer`, to be given back once it was answered. */
export function encode(name: string, args: readonly Argument[]): { buffer: Buffer; length: number } {
  const parts: Bulk[] = [];
  let open: Bulk | null = null;
  for (const arg of [name, ...args]) {
    if (arg instanceof Bulk) {
      parts.push(arg);
      open = null;
      continue;
    }
    if (open === null) {
      open = new Bulk();
      parts.push(open);
    }
    open.addText(String(arg));
  }
  const head = `*${parts.reduce((sum, { count }) => sum + count, 0)}\r\n`;
  const buffer = takeBuffer(parts.reduce((sum, { bytes }) => sum + bytes.length, head.length));
  let length = buffer.write(head, 'latin1');
  for (const { bytes } of parts) length += bytes.copy(buffer, length);
  return { buffer, length };
}
