/** following: when a connection is opened anew, since the server says that another one is meant, and what was refused sent again. */

/** How often it is looked whether the name of a replica leads to a primary by now: where it does not, each command would be sent there again and again. */
const OF_A_NAME = { count: 1, withinMs: 2_000 };
/** Each time after a longer pause: a slot that is on its way is out of reach until it is there. */
const OF_A_SLOT = { count: 5, withinMs: 5_000 };

/** A replica answers READONLY after a failover: the name leads to the new primary once it is looked up again. */
const BY_NAME = /^READONLY/;
/** And who lost a slot, MOVED, or is losing it, ASK and TRYAGAIN; who lost sight of the others, CLUSTERDOWN. */
const BY_SLOT = /^(READONLY|MOVED|ASK|TRYAGAIN|CLUSTERDOWN)/;

/** What one client follows. */
export class Following {
  #at: readonly number[] = [];
  #left: unknown = null;

  /** @param stream the connection as it is now */
  constructor(
    private readonly isOfSlot: boolean,
    private readonly stream: () => unknown,
  ) {}

  /** How often it was opened anew of late. */
  get count(): number {
    return this.#ofLate().length;
  }

  /** Whether it is to be opened anew for this answer. */
  follows({ message }: Error): boolean {
    if (!(this.isOfSlot ? BY_SLOT : BY_NAME).test(message)) return false;
    // What was asked beside goes along.
    if (this.#left !== null && this.stream() === this.#left) return true;
    const at = this.#ofLate();
    if (at.length >= this.#bounds.count) return false;
    this.#at = [...at, performance.now()];
    this.#left = this.stream() ?? null;
    return true;
  }

  get #bounds() {
    return this.isOfSlot ? OF_A_SLOT : OF_A_NAME;
  }

  #ofLate(): readonly number[] {
    return this.#at.filter((at) => performance.now() - at < this.#bounds.withinMs);
  }
}
