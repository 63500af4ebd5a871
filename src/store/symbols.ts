/** symbols: makes names short. What a sample of them has in common again and again stands for one byte each, so that each name can be
 * read by itself. (FSST: Boncz, Neumann and Leis, PVLDB 13(11), 2020)
 */

/** A code more stands for the next byte as it is. */
const CODES = 255;
const AS_IS = CODES;
const MOST_LENGTH = 8;
/** Symbols grow together from shorter ones, at most to twice their length each time. */
const ROUNDS = 5;
/** From so many bytes of names is learnt, which takes some 20 ms: 500 of the field's. */
const SAMPLE_BYTES = 32 * 1024;
const NONE = -1;

/** What names of at most so many bytes take when packed. */
export function mostPacked(bytes: number): number {
  return 2 * bytes;
}

/** Reads texts symbol by symbol, always the longest one that fits: a trie over those bytes that occur in any. */
class Trie {
  readonly #classes = new Uint8Array(256);
  readonly #width: number;
  readonly #next: Uint16Array;
  readonly #codes: Int16Array;
  /** Of what was read last. */
  length = 0;

  constructor(symbols: readonly Uint8Array[]) {
    let classes = 1;
    let states = 1;
    for (const symbol of symbols) {
      states += symbol.length;
      for (const byte of symbol) if (this.#classes[byte] === 0) this.#classes[byte] = classes++;
    }
    this.#width = classes;
    this.#next = new Uint16Array(states * classes);
    this.#codes = new Int16Array(states).fill(NONE);
    let last = 0;
    for (const [code, symbol] of symbols.entries()) {
      let state = 0;
      for (const byte of symbol) {
        const at = state * classes + (this.#classes[byte] as number);
        if (this.#next[at] === 0) this.#next[at] = ++last;
        state = this.#next[at] as number;
      }
      this.#codes[state] = code;
    }
  }

  /** The code of the longest symbol that stands here; `NONE`: none does. */
  read(bytes: Uint8Array, from: number, to: number): number {
    let code = NONE;
    let state = 0;
    for (let at = from; at < to; at++) {
      const byteClass = this.#classes[bytes[at] as number] as number;
      state = byteClass === 0 ? 0 : (this.#next[state * this.#width + byteClass] as number);
      if (state === 0) break;
      if (this.#codes[state] !== NONE) {
        code = this.#codes[state] as number;
        this.length = at + 1 - from;
      }
    }
    return code;
  }
}

export class Symbols {
  readonly #trie: Trie;
  /** The bytes of each symbol, and how many they are. */
  readonly #texts = new Uint8Array(CODES * MOST_LENGTH);
  readonly #lengths = new Uint8Array(CODES);

  /** @param names like those that are to be packed; no more are asked for than it learns from */
  constructor(names: Iterable<Uint8Array>) {
    const symbols = learn(sampleOf(names));
    this.#trie = new Trie(symbols);
    for (const [code, symbol] of symbols.entries()) {
      this.#texts.set(symbol, code * MOST_LENGTH);
      this.#lengths[code] = symbol.length;
    }
  }

  /** Packs these bytes; how many they are then, at most `mostPacked`. */
  pack(bytes: Uint8Array, from: number, to: number, packed: Uint8Array): number {
    const trie = this.#trie;
    let into = 0;
    for (let at = from; at < to; ) {
      const code = trie.read(bytes, at, to);
      if (code === NONE) {
        packed[into++] = AS_IS;
        packed[into++] = bytes[at++] as number;
      } else {
        packed[into++] = code;
        at += trie.length;
      }
    }
    return into;
  }

  /** Writes what was packed from `at` on, which were so many bytes. */
  unpack(packed: Uint8Array, at: number, bytes: Uint8Array, from: number, to: number): void {
    let next = at;
    for (let into = from; into < to; ) {
      const code = packed[next++] as number;
      if (code === AS_IS) bytes[into++] = packed[next++] as number;
      else {
        const first = code * MOST_LENGTH;
        const end = first + (this.#lengths[code] as number);
        for (let i = first; i < end; i++) bytes[into++] = this.#texts[i] as number;
      }
    }
  }
}

function sampleOf(names: Iterable<Uint8Array>): readonly Uint8Array[] {
  const sample: Uint8Array[] = [];
  let left = SAMPLE_BYTES;
  for (const name of names) {
    // One without bytes teaches nothing, and still ends some day.
    left -= Math.max(1, name.length);
    sample.push(name);
    if (left <= 0) break;
  }
  return sample;
}

/** The symbols that shorten these most, as far as they grow together from shorter ones. */
function learn(sample: readonly Uint8Array[]): Uint8Array[] {
  let symbols: Uint8Array[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const gains = gainsOf(sample, new Trie(symbols));
    const best = [...gains].toSorted(([, one], [, other]) => other - one).slice(0, CODES);
    symbols = best.map(([text]) => Buffer.from(text, 'latin1'));
  }
  return symbols;
}

/** What each symbol that occurs, and each two that follow one another, would stand for in all, in bytes. */
function gainsOf(sample: readonly Uint8Array[], trie: Trie): Map<string, number> {
  const gains = new Map<string, number>();
  const gain = (text: string) => gains.set(text, (gains.get(text) ?? 0) + text.length);
  for (const name of sample) {
    const text = Buffer.from(name.buffer, name.byteOffset, name.length).toString('latin1');
    let before = '';
    for (let at = 0; at < name.length; ) {
      const length = trie.read(name, at, name.length) === NONE ? 1 : trie.length;
      const symbol = text.slice(at, at + length);
      gain(symbol);
      if (before !== '' && before.length + length <= MOST_LENGTH) gain(before + symbol);
      before = symbol;
      at += length;
    }
  }
  return gains;
}
