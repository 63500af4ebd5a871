/** resp: where one command, or one reply, ends in what came over a connection (RESP 2 and 3).
 * (https://redis.io/docs/latest/develop/reference/protocol-spec/) */

function lineEnd(bytes: Buffer, from: number): number {
  return bytes.indexOf('\r\n', from);
}

/** Where the value that begins here ends; -1 while not all of it has come. */
function endOf(bytes: Buffer, from: number): number {
  const end = lineEnd(bytes, from);
  if (end < 0) return -1;
  const kind = String.fromCharCode(bytes[from] as number);
  const count = Number(bytes.toString('latin1', from + 1, end));
  if (kind === '$' || kind === '=') {
    const to = count < 0 ? end + 2 : end + 2 + count + 2;
    return to <= bytes.length ? to : -1;
  }
  let at = end + 2;
  const values = '*~>'.includes(kind) ? count : kind === '%' ? 2 * count : 0;
  for (let i = 0; i < values && at >= 0; i++) at = at < bytes.length ? endOf(bytes, at) : -1;
  return at;
}

/** Cuts what came into whole values. */
export class Values {
  #rest: Buffer = Buffer.alloc(0);

  *take(bytes: Buffer): Generator<Buffer> {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    for (let end = this.#end(); end >= 0; end = this.#end()) {
      const value = this.#rest.subarray(0, end);
      this.#rest = this.#rest.subarray(end);
      yield value;
    }
  }

  #end(): number {
    return this.#rest.length === 0 ? -1 : endOf(this.#rest, 0);
  }
}

/** The arguments of a command, a character a byte. */
export function argumentsIn(command: Buffer): string[] {
  const args: string[] = [];
  for (let at = lineEnd(command, 0) + 2; at < command.length; ) {
    const end = lineEnd(command, at);
    const length = Number(command.toString('latin1', at + 1, end));
    args.push(command.toString('latin1', end + 2, end + 2 + length));
    at = end + 2 + length + 2;
  }
  return args;
}

/** A bulk string as it travels. */
export function bulk(text: string): string {
  return `$${Buffer.byteLength(text, 'latin1')}\r\n${text}\r\n`;
}
