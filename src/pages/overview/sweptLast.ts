/** swept last: some of those whom the last run that removed anything swept, from the ledger. */
import type { Ledger } from '../../ledger/ledger.ts';
import type { PastRun } from '../../ledger/runs/pastRun.ts';

/** Who is shown; the others stand on the run's own page. */
const SHOWN = 10;

export interface SweptRow {
  readonly coordinator: string;
  /** `null` where heartbeats name none. */
  readonly swarm: string | null;
  readonly silenceSeconds: number;
  /** How many things of theirs went; `null` where that is not known. */
  readonly things: number | null;
}

/** Asked again for the same run, the ledger is not read again: what a run swept does not change once it has ended. */
export class SweptLast {
  readonly #known = new Map<string, { readonly run: PastRun; readonly rows: Promise<readonly SweptRow[]> }>();

  constructor(private readonly ledger: Ledger) {}

  /** Nobody where the ledger can't be read, or no longer holds them. */
  async of(run: PastRun | null): Promise<readonly SweptRow[]> {
    if (run === null) return [];
    const known = this.#known.get(run.target);
    if (known?.run.run === run.run && known.run.atMs === run.atMs) return await known.rows;
    const rows = this.#read(run).catch(() => {
      this.#known.delete(run.target);
      return [];
    });
    this.#known.set(run.target, { run, rows });
    return await rows;
  }

  async #read(run: PastRun): Promise<readonly SweptRow[]> {
    const shown: SweptRow[] = [];
    for await (const { rows } of this.ledger.sweptBy(run)) {
      for (const { coordinator, swarm, silenceSeconds, fate, keysByFamily } of rows) {
        if (fate !== 'swept') continue;
        shown.push({
          coordinator: textOf(coordinator),
          swarm: swarm === null ? null : textOf(swarm),
          silenceSeconds,
          things: keysByFamily?.reduce<number>((sum, count) => sum + (count ?? 0), 0) ?? null,
        });
        if (shown.length === SHOWN) return shown;
      }
    }
    return shown;
  }
}

/** Ids are bytes; what is no text is shown as one sees it elsewhere, with marks in it. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
