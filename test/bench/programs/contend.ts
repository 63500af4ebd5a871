/** contend: the one shape of a contender: it prepares for a task, and when told to go does it once, and is timed. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { peakMemoryBytes } from '../../support/peakMemory.ts';
import type { Sample } from '../sample.ts';
import { serve } from './serve.ts';

export interface Task {
  readonly url: string;
  /** Where what runs saw is kept: on a server of its own, so that it adds nothing to the target. */
  readonly ledgerUrl: string;
  readonly sample: Sample;
  /** When the stale ones beat last, in ms since the epoch, as some names hold it. */
  readonly staleBeatAt: number;
  /** As a setting is written: `1d`. */
  readonly staleAfter: string;
  /** More settings, as a configuration file would hold them, for the contender that understands them. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface Attempt {
  /** Does the task; tells how many requests it sent, unless Redis' own count is as good, and the memory of another process. */
  go(): Promise<{ readonly calls?: number; readonly rssBytes?: number }>;
  close(): void;
}

export interface Outcome {
  readonly wallMs: number;
  /** The most memory the process ever held; `null` when the work is done by others. */
  readonly rssBytes: number | null;
  readonly calls: number | null;
  /** The longest time in which the process read no reply, whatever had come; `null` when the work is done by others. */
  readonly awayMs: number | null;
}

/** How often is looked whether the process still reads, in ms. */
const LOOK_EVERY_MS = 1;

/** Makes this process a contender. It may be asked again and again: then it is a warm one. */
export function contend(
  prepare: (task: Task) => Promise<Attempt>,
  { inThisProcess = true }: { readonly inThisProcess?: boolean } = {},
): void {
  let attempt: Attempt | undefined;
  serve({
    prepare: async (task: Task) => {
      attempt = await prepare(task);
    },
    go: async (): Promise<Outcome> => {
      if (attempt === undefined) throw new Error('a contender must be prepared before it can go');
      const delay = monitorEventLoopDelay({ resolution: LOOK_EVERY_MS });
      delay.enable();
      const startedAt = performance.now();
      try {
        const { calls = null, rssBytes = inThisProcess ? peakMemoryBytes() : null } = await attempt.go();
        const wallMs = performance.now() - startedAt;
        const awayMs = inThisProcess ? Math.max(0, delay.max / 1e6 - LOOK_EVERY_MS) : null;
        return { wallMs, calls, rssBytes, awayMs };
      } finally {
        delay.disable();
        attempt.close();
      }
    },
  });
}
