/** find run: one run by its id, quickly where it is roughly known when it was. */
import type { Blocks } from '../blocks.ts';
import { readHistory } from './history.ts';
import type { KeptPages } from './keptPages.ts';
import type { PastRun } from './pastRun.ts';
import { writeCursor } from './query.ts';
import { instantOfRunId } from './runId.ts';
import { seekRun } from './seekRun.ts';

export interface WantedRun {
  readonly run: string;
  /** Left out: in all targets. */
  readonly target?: string | undefined;
  /** When it ended, in ms, as its record says: it is found at once, and tells it from others of the same id. */
  readonly endedAtMs?: number | undefined;
  /** Or when it began, or some time in it: then it ended later. */
  readonly startedAtMs?: number | undefined;
}

/** A run that began then has mostly ended within these, tried one after the other, in ms. */
const LASTS_MS = [60_000, 3_600_000, 86_400_000];

/** Clocks of those who give out ids and of the queue's Redis differ by no more, in ms: else it is found, but later. */
const CLOCKS_MS = 5_000;

function beganIn(run: string): number | undefined {
  const givenMs = instantOfRunId(run);
  return givenMs === null ? undefined : givenMs - CLOCKS_MS;
}

/** The newest such run; `null` when there is none. Without any hint the filters of all pages are looked at. Rejects as `Blocks` do. */
export async function findRun(
  blocks: Blocks,
  kept: KeptPages,
  { run, target, endedAtMs, startedAtMs }: WantedRun,
): Promise<PastRun | null> {
  const query = { run, limit: 1, ...(target === undefined ? {} : { target }) };
  const before = (atMs: number) => writeCursor({ atMs: atMs + 1, target: '', run: '' });
  const spans: { readonly sinceMs: number; readonly cursor: string | null }[] = [];
  if (endedAtMs !== undefined) spans.push({ sinceMs: endedAtMs, cursor: before(endedAtMs) });
  const begunMs = startedAtMs ?? (endedAtMs === undefined ? beganIn(run) : undefined);
  if (begunMs !== undefined) {
    for (const lastedMs of LASTS_MS) spans.push({ sinceMs: begunMs, cursor: before(begunMs + lastedMs) });
  }
  for (const { sinceMs, cursor: from } of spans) {
    let cursor = from;
    do {
      const page = await readHistory(blocks, kept, { ...query, sinceMs, cursor });
      const [found] = page.runs;
      if (found !== undefined) return found;
      cursor = page.cursor;
    } while (cursor !== null);
  }
  return await seekRun(blocks, { run, target });
}
