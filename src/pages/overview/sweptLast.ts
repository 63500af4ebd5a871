/** swept last: some of those whom the last run that removed anything swept, from the ledger. */
import { setTimeout as pause } from 'node:timers/promises';
import type { SweptOnce } from '../../explain/entry.ts';
import { textOf } from '../../domain/nameText.ts';
import { keysOf } from '../../explain/swept.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { givenBack, type RestoredNote } from '../../ledger/targets/restored.ts';
import type { PastRun } from '../../ledger/runs/pastRun.ts';
import { restorableUntilMs } from '../../ledger/swept/restorable.ts';

/** Who is shown; the others stand on the run's own page. */
const SHOWN = 10;
/** So long a page waits to hear what was given back, in ms; then it shows what was known before. */
const PATIENCE_MS = 30;

/** One who was swept. */
interface Swept {
  readonly coordinator: string;
  /** `null` where heartbeats name none. */
  readonly swarm: string | null;
  readonly silenceSeconds: number;
  /** How many of their things went, by family. */
  readonly keys: SweptOnce['keys'];
  /** Until when they can be given back, in ms; `null` where they can't. */
  readonly until: number | null;
  readonly givenIn: (notes: readonly RestoredNote[]) => RestoredNote | null;
}

export interface SweptRow extends Omit<Swept, 'givenIn'> {
  /** The last time that they were given back; `null` for never. */
  readonly given: RestoredNote | null;
}

interface Known {
  readonly run: PastRun;
  readonly rows: Promise<readonly Swept[]>;
  notes: readonly RestoredNote[];
}

/** Asked again for the same run, only what was given back is read again: what a run swept does not change once it has ended. */
export class SweptLast {
  readonly #known = new Map<string, Known>();

  constructor(private readonly ledger: Ledger) {}

  /** Nobody where the ledger can't be read, or no longer holds them. */
  async of(run: PastRun | null): Promise<readonly SweptRow[]> {
    if (run === null) return [];
    const known = this.#knownOf(run);
    const rows = await known.rows;
    if (rows.some(({ until }) => until !== null && until > Date.now())) {
      await Promise.race([this.#refresh(known), pause(PATIENCE_MS, undefined, { ref: false })]);
    }
    return rows.map(({ givenIn, ...row }) => ({ ...row, given: givenIn(known.notes) }));
  }

  #knownOf(run: PastRun): Known {
    const known = this.#known.get(run.target);
    if (known?.run.run === run.run && known.run.atMs === run.atMs) return known;
    const rows = this.#read(run).catch(() => {
      this.#known.delete(run.target);
      return [];
    });
    const fresh = { run, rows, notes: [] };
    this.#known.set(run.target, fresh);
    return fresh;
  }

  async #refresh(known: Known): Promise<void> {
    known.notes = await this.ledger.restored(known.run).catch(() => known.notes);
  }

  async #read(run: PastRun): Promise<readonly Swept[]> {
    const shown: Swept[] = [];
    for await (const { meta, rows } of this.ledger.sweptBy(run)) {
      for (const { coordinator, swarm, silenceSeconds, fate, keysByFamily } of rows) {
        if (fate !== 'swept') continue;
        // Its bytes hold until the next one is read.
        const taken = { ...meta, coordinator: Uint8Array.from(coordinator) };
        shown.push({
          coordinator: textOf(coordinator),
          swarm: swarm === null ? null : textOf(swarm),
          silenceSeconds,
          keys: keysOf(keysByFamily, meta.families),
          until: restorableUntilMs(meta),
          givenIn: (notes) => givenBack(notes, taken),
        });
        if (shown.length === SHOWN) return shown;
      }
    }
    return shown;
  }
}
