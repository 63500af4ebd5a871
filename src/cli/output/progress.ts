/** progress: a bar on a terminal; nothing elsewhere. */
import { createRequire } from 'node:module';
import type { Observer } from '../../cleanup/context.ts';
import { say } from './say.ts';

// Loaded when first needed, which is on a terminal.
const require = createRequire(import.meta.url);

export interface ProgressBar {
  readonly observer: Observer;
  stop(): void;
  /** Takes the bar away while somebody is asked, or something is printed. */
  aside<T>(act: () => Promise<T>): Promise<T>;
}

const FORMAT = '{phase} [{bar}] {percentage}%  {swept} of {stale} stale coordinators swept';

/** Draws on stderr, so that standard output stays a report. */
export function createProgressBar(shown: boolean): ProgressBar {
  if (!shown) return { observer: { warn: say }, stop: () => {}, aside: async (act) => await act() };
  const { SingleBar } = require('cli-progress') as typeof import('cli-progress');
  const bar = new SingleBar({
    format: FORMAT,
    stream: process.stderr,
    barsize: 24,
    clearOnComplete: true,
    hideCursor: true,
  });
  let last = { percent: 0, phase: 'mark  ', swept: 0, stale: 0 };
  const start = () => bar.start(100, last.percent, last);
  start();
  return {
    observer: {
      warn: (sentence) => {
        bar.stop();
        say(sentence);
        start();
      },
      progress: (phase, { percent, swept, stale }) => {
        last = { percent, phase: phase.padEnd(6), swept, stale };
        bar.update(percent, last);
      },
    },
    stop: () => bar.stop(),
    aside: async (act) => {
      bar.stop();
      try {
        return await act();
      } finally {
        start();
      }
    },
  };
}
