/** contend: the one shape of a contender: it prepares for a task, and when told to go does it once, and is timed. */
import { existsSync, readFileSync } from 'node:fs';
import type { SchemaName } from '../keys.ts';
import { serve } from './serve.ts';

export interface Task {
  readonly url: string;
  readonly schema: SchemaName;
  readonly coordinators: number;
  /** The first so many of them are stale. */
  readonly stale: number;
  /** As a setting is written: `1d`. */
  readonly staleAfter: string;
  /** More settings, as a configuration file would hold them, for the contender that understands them. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface Attempt {
  /** Does the task; resolves to the number of requests it sent, or `null` where Redis' own count is as good. */
  go(): Promise<number | null>;
  close(): void;
}

export interface Outcome {
  readonly wallMs: number;
  /** The most memory the process ever held; `null` when the work is done by others. */
  readonly rssBytes: number | null;
  readonly calls: number | null;
}

/** Linux hands the parent's peak down to `resourceUsage`, so its own account of the process is asked first. */
const peakRssBytes = (): number => {
  const status = '/proc/self/status';
  const peak = existsSync(status) ? /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(status, 'utf8'))?.[1] : undefined;
  return Number(peak ?? process.resourceUsage().maxRSS) * 1024;
};

/** Makes this process a contender. It may be asked again and again: then it is a warm one. */
export const contend = (
  prepare: (task: Task) => Promise<Attempt>,
  { inThisProcess = true }: { readonly inThisProcess?: boolean } = {},
): void => {
  let attempt: Attempt | undefined;
  serve({
    prepare: async (task: Task) => {
      attempt = await prepare(task);
    },
    go: async (): Promise<Outcome> => {
      if (attempt === undefined) throw new Error('a contender must be prepared before it can go');
      const startedAt = performance.now();
      try {
        const calls = await attempt.go();
        const wallMs = performance.now() - startedAt;
        return { wallMs, calls, rssBytes: inThisProcess ? peakRssBytes() : null };
      } finally {
        attempt.close();
      }
    },
  });
};
