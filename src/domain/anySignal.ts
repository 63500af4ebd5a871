/** any signal: aborted as soon as one of some signals is. Unlike one of `AbortSignal.any` it can be let go of: that leaves something in
 * each of its sources for as long as they live (Node.js 20), and a worker makes one for each run of its own that ends with the process.
 */
export class AnySignal {
  readonly #controller = new AbortController();
  readonly #sources: readonly AbortSignal[];

  constructor(...sources: readonly AbortSignal[]) {
    this.#sources = sources;
    for (const source of sources) source.addEventListener('abort', this.#look);
    this.#look();
  }

  /** Aborted with the reason of the source that was first. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Leaves its sources: from now on nothing aborts it. */
  release(): void {
    for (const source of this.#sources) source.removeEventListener('abort', this.#look);
  }

  readonly #look = (): void => {
    const first = this.#sources.find(({ aborted }) => aborted);
    if (first === undefined) return;
    this.release();
    this.#controller.abort(first.reason);
  };
}
