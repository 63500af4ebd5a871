/** follow run: passes on to the recorder what a run tells its observer of who is to go, and of what went. */
import type { Condemned, Removal, Removed } from '../domain/removal.ts';
import type { RunRecorder } from './recorder.ts';
import type { Going, Swept } from './swept/sweptLog.ts';

type Counts = (number | null)[];

function goingOf({ coordinator, swarm, beatAtSeconds, silentSeconds }: Condemned): Going {
  return { coordinator, swarm, beatMs: beatAtSeconds * 1000, silenceSeconds: silentSeconds };
}

function keyOf({ coordinator, swarm }: Condemned): string {
  const id = Buffer.from(coordinator).toString('latin1');
  return JSON.stringify([id, swarm === null ? null : Buffer.from(swarm).toString('latin1')]);
}

/** What is not told in one of them is not known of both. */
function sumOf(a: readonly (number | null)[], b: readonly (number | null)[]): Counts {
  return b.map((count, i) => {
    const other = a[i] === undefined ? 0 : a[i];
    return count === null || other === null || other === undefined ? null : count + other;
  });
}

/** The observer of one run; its methods never reject, and `removed` keeps nothing of what it is given. */
export class RunFollower {
  /** Of whom parts went, and not all yet: those with more things than one call takes. */
  readonly #parts = new Map<string, Swept>();

  constructor(private readonly recorder: RunRecorder) {}

  /** Resolves once it stands in the ledger who is about to go, or it can't. */
  async condemn(next: readonly Condemned[]): Promise<void> {
    await this.recorder.removing(next.map(goingOf));
  }

  removed({ removals }: Removed): void {
    const swept = removals.map((removal) => this.#joined(removal)).filter((one) => one !== null);
    if (swept.length > 0) this.recorder.removed(swept);
  }

  /** To be called before the run ends: of whom only parts went, these stand in the ledger too. */
  finish(): void {
    if (this.#parts.size > 0) this.recorder.removed(this.#parts.values());
    this.#parts.clear();
  }

  /** With the parts that went before; `null` until the last of it went. */
  #joined(removal: Removal): Swept | null {
    if (removal.swept && this.#parts.size === 0) return { ...goingOf(removal), keysByFamily: removal.keys };
    const key = keyOf(removal);
    const keysByFamily = sumOf(this.#parts.get(key)?.keysByFamily ?? [], removal.keys);
    if (removal.swept) {
      this.#parts.delete(key);
      return { ...goingOf(removal), keysByFamily };
    }
    const coordinator = Uint8Array.from(removal.coordinator);
    const swarm = removal.swarm === null ? null : Uint8Array.from(removal.swarm);
    this.#parts.set(key, { ...goingOf(removal), coordinator, swarm, keysByFamily });
    return null;
  }
}
