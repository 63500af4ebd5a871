/** live memory: what this process holds once the collector has gone: unlike what the system gave it, the same at every run. */
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** How often is looked: a look takes some tens of milliseconds. */
const LOOK_EVERY_MS = 300;

/** What is held now, in bytes, in the heap and outside it. */
export const liveMemory = (): { readonly heapUsed: number; readonly arrayBuffers: number } => {
  // The first collection lets go of what outside the heap was held by what it collects.
  collect();
  collect();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return { arrayBuffers, heapUsed };
};

const liveBytes = (): number => {
  const { heapUsed, arrayBuffers } = liveMemory();
  return heapUsed + arrayBuffers;
};

/** The most bytes that were held while something was done, beyond those before it. */
export const peakLiveBytes = async (act: () => Promise<unknown>): Promise<number> => {
  const before = liveBytes();
  let peak = before;
  let over = false;
  const looking = (async () => {
    while (!over) {
      await pause(LOOK_EVERY_MS);
      peak = Math.max(peak, liveBytes());
    }
  })();
  try {
    await act();
  } finally {
    over = true;
    await looking;
  }
  return peak - before;
};
