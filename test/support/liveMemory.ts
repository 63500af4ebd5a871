/** live memory: what this process holds once the collector has gone: unlike what the system gave it, the same at every run. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is held now, in bytes, in the heap and outside it. */
export function liveMemory(): { readonly heapUsed: number; readonly arrayBuffers: number } {
  // The first collection lets go of what outside the heap was held by what it collects.
  collect();
  collect();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return { arrayBuffers, heapUsed };
}
