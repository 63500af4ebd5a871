/** bulk: a list of arguments in the form in which they travel to Redis, so that a hundred thousand key names need not
 * become strings first. RESP: `$<bytes>\r\n<the bytes>\r\n` each. (https://redis.io/docs/latest/develop/reference/protocol-spec/)
 */

const CR = 13;
const LF = 10;
const DOLLAR = 36;
const STAR = 42;
const ZERO = 48;
/** Below this a loop copies faster than a call into the runtime does. */
const SHORT = 48;
const NONE = Buffer.alloc(0);
/** Room for `$`, the digits of a length, and both line ends. */
const FRAME = 16;

/** Buffers that are done with, by their size as a power of two. */
const spare: Buffer[][] = [];
/** Smaller ones come from a slab of the runtime's. */
const LEAST_BITS = 12;
/** Larger ones are seldom: only values of many kilobytes make such calls. */
const MOST_BITS = 18;
/** How many of each size are kept: what is under way at once. All of them together are eight megabytes. */
const MOST_SPARE = 16;

/**
 * A buffer of at least so many bytes. One that was given back, if there is any: memory outside the heap that is asked for anew
 * for each call makes the collector look through everything again and again.
 */
export function takeBuffer(bytes: number): Buffer {
  const bits = 32 - Math.clz32(Math.max(bytes, 1) - 1);
  if (bits < LEAST_BITS || bits > MOST_BITS) return Buffer.allocUnsafe(bytes);
  return spare[bits]?.pop() ?? Buffer.allocUnsafeSlow(2 ** bits);
}

/** Gives back a buffer of `takeBuffer` that nobody reads any more; it may be somebody else's at once. */
export function giveBuffer(buffer: Buffer): void {
  const bits = 31 - Math.clz32(buffer.length);
  if (bits < LEAST_BITS || bits > MOST_BITS || buffer.length !== 2 ** bits) return;
  spare[bits] ??= [];
  const list = spare[bits] as Buffer[];
  if (list.length < MOST_SPARE) list.push(buffer);
}

export class Bulk {
  /** How many arguments it holds. */
  count = 0;
  #buffer: Buffer;
  #length = 0;

  constructor(bytes = 1024) {
    this.#buffer = takeBuffer(bytes);
  }

  static of(names: Iterable<string>): Bulk {
    const bulk = new Bulk();
    for (const name of names) bulk.addText(name);
    return bulk;
  }

  /** The arguments as they travel. Valid until the next one is added, or all are let go. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Lets go of all arguments, and of the buffer they were in. */
  clear(): void {
    this.count = 0;
    this.#length = 0;
    giveBuffer(this.#buffer);
    this.#buffer = NONE;
  }

  /** Opens an argument of this many bytes: `put` them, then `end` it. */
  begin(bytes: number): void {
    this.#makeRoom(bytes);
    this.#putNumber(DOLLAR, bytes);
  }

  /** Opens a command of so many arguments, its name among them: they follow. Of what holds commands no arguments can be read. */
  beginCommand(args: number): void {
    this.#makeRoom(0);
    this.#putNumber(STAR, args);
  }

  #putNumber(kind: number, number: number): void {
    this.#buffer[this.#length++] = kind;
    let digit = 1;
    while (digit * 10 <= number) digit *= 10;
    for (let rest = number; digit >= 1; digit = Math.floor(digit / 10)) {
      this.#buffer[this.#length++] = ZERO + Math.floor(rest / digit);
      rest %= digit;
    }
    this.#buffer[this.#length++] = CR;
    this.#buffer[this.#length++] = LF;
  }

  #makeRoom(bytes: number): void {
    const needed = this.#length + bytes + FRAME;
    if (needed <= this.#buffer.length) return;
    const larger = takeBuffer(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    giveBuffer(this.#buffer);
    this.#buffer = larger;
  }

  put(source: Uint8Array, from: number, to: number): void {
    if (to - from > SHORT) this.#buffer.set(source.subarray(from, to), this.#length);
    else {
      const buffer = this.#buffer;
      for (let at = from, into = this.#length; at < to; at++, into++) buffer[into] = source[at] as number;
    }
    this.#length += to - from;
  }

  /** Puts a byte string: one character for each byte. */
  putText(text: string): void {
    this.#length += this.#buffer.write(text, this.#length, 'latin1');
  }

  end(): void {
    this.#buffer[this.#length++] = CR;
    this.#buffer[this.#length++] = LF;
    this.count++;
  }

  add(source: Uint8Array, from = 0, to = source.length): void {
    this.begin(to - from);
    this.put(source, from, to);
    this.end();
  }

  /** Adds a byte string: one character for each byte. */
  addText(text: string): void {
    this.begin(text.length);
    this.putText(text);
    this.end();
  }

  /** Calls `visit` with where the bytes of each argument stand, in order. They hold until the next one is added. */
  forEach(visit: (bytes: Uint8Array, from: number, to: number) => void): void {
    for (let at = 0; at < this.#length; ) {
      let length = 0;
      for (at++; this.#buffer[at] !== CR; at++) length = length * 10 + (this.#buffer[at] as number) - ZERO;
      const from = at + 2;
      visit(this.#buffer, from, from + length);
      at = from + length + 2;
    }
  }

  /** Those from the first position up to, and without, the second. */
  slice(from: number, to: number): Bulk {
    const some = new Bulk();
    let at = 0;
    this.forEach((bytes, start, end) => {
      if (at >= from && at < to) some.add(bytes, start, end);
      at++;
    });
    return some;
  }

  /** The arguments as byte strings again. */
  texts(): string[] {
    const texts: string[] = [];
    for (let at = 0; at < this.#length; ) {
      const lineEnd = this.#buffer.indexOf(CR, at);
      const from = lineEnd + 2;
      const to = from + Number(this.#buffer.toString('latin1', at + 1, lineEnd));
      texts.push(this.#buffer.toString('latin1', from, to));
      at = to + 2;
    }
    return texts;
  }
}
