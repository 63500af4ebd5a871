/** scratch: bytes that are overwritten again and again, and views of them that need not be made again and again. */

/** Views of up to this length are made once. */
const MOST_VIEWS = 1024;
/** Room for ordinary names; so few bytes lie in the heap, where they cost next to nothing. */
const LEAST_BYTES = 64;

/** Room for one text at a time. */
export class Scratch {
  bytes = new Uint8Array(LEAST_BYTES);
  #views: Uint8Array[] = [];

  /** Makes room; what stands there stays. */
  reserve(length: number): void {
    if (length <= this.bytes.length) return;
    const larger = new Uint8Array(length * 2);
    larger.set(this.bytes);
    this.bytes = larger;
    this.#views = [];
  }

  /** These bytes, copied to the front; holds until the next ones are. */
  put(source: Uint8Array, from: number, to: number): Uint8Array {
    this.reserve(to - from);
    const { bytes } = this;
    for (let at = from, into = 0; at < to; ) bytes[into++] = source[at++] as number;
    return this.view(to - from);
  }

  /** The first bytes. */
  view(length: number): Uint8Array {
    if (length >= MOST_VIEWS) return this.bytes.subarray(0, length);
    let view = this.#views[length];
    if (view === undefined) {
      view = this.bytes.subarray(0, length);
      this.#views[length] = view;
    }
    return view;
  }
}
