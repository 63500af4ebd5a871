/** phases: how long a run was in each of its phases, summed up, since a large one goes through them again and again. */

/** By phase, in the order in which they were first entered, in whole ms. */
export type Phases = Readonly<Record<string, number>>;

export class PhaseWatch {
  readonly #spent: Map<string, number>;
  #phase: string | null = null;
  #enteredAt = 0;

  /** @param earlier of attempts before */
  constructor(earlier: Phases = {}) {
    this.#spent = new Map(Object.entries(earlier));
  }

  /** From now on it is in this one. */
  enter(phase: string): void {
    this.#settle();
    this.#phase = phase;
    if (!this.#spent.has(phase)) this.#spent.set(phase, 0);
  }

  /** As a field of a run: none as long as there was no phase. */
  get field(): { readonly phases?: Phases } {
    this.#settle();
    if (this.#spent.size === 0) return {};
    return { phases: Object.fromEntries([...this.#spent].map(([phase, ms]) => [phase, Math.round(ms)])) };
  }

  #settle(): void {
    const now = performance.now();
    if (this.#phase !== null) this.#spent.set(this.#phase, (this.#spent.get(this.#phase) ?? 0) + now - this.#enteredAt);
    this.#enteredAt = now;
  }
}
