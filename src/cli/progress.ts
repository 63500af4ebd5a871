/** progress: a bar on a terminal; nothing elsewhere. */
import { createRequire } from 'node:module';
import type { Observer } from '../cleanup/context.ts';

// Loaded when first needed, which is on a terminal.
const require = createRequire(import.meta.url);

export interface ProgressBar {
  readonly observer: Observer;
  stop(): void;
  /** Takes the bar away while somebody is asked. */
  aside<T>(ask: () => Promise<T>): Promise<T>;
}

const FORMAT = '{phase} [{bar}] {percentage}%  {swept} of {stale} stale coordinators swept';

/** Draws on stderr, so that standard output stays a report. */
export const createProgressBar = (shown: boolean): ProgressBar => {
  const warn = (sentence: string) => console.error(`stalesweep: ${sentence}`);
  if (!shown) return { observer: { warn }, stop: () => {}, aside: async (ask) => await ask() };
  const { SingleBar } = require('cli-progress') as typeof import('cli-progress');
  const bar = new SingleBar({
    format: FORMAT,
    stream: process.stderr,
    barsize: 24,
    clearOnComplete: true,
    hideCursor: true,
  });
  const start = () => bar.start(100, 0, { phase: 'mark  ', swept: 0, stale: 0 });
  start();
  return {
    observer: {
      warn: (sentence) => {
        bar.stop();
        warn(sentence);
        start();
      },
      progress: (phase, { percent, swept, stale }) => bar.update(percent, { phase: phase.padEnd(6), swept, stale }),
    },
    stop: () => bar.stop(),
    aside: async (ask) => {
      bar.stop();
      try {
        return await ask();
      } finally {
        start();
      }
    },
  };
};
