/** memory: what a worker's process holds once it has collected what nobody needs any more. */
import { expect } from 'vitest';
import type { Running } from '../support/cli.ts';

const SAYS = 'memory: ';

/** The environment of a process that tells, at SIGUSR2, what it holds after a full collection. */
export const TELLING_MEMORY: Record<string, string> = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(`
    import { setFlagsFromString } from 'node:v8';
    import { runInNewContext } from 'node:vm';
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc');
    process.on('SIGUSR2', () => {
      collect();
      setTimeout(() => {
        collect();
        process.stderr.write('${SAYS}' + JSON.stringify(process.memoryUsage()) + '\\n');
      }, 200);
    });`)}`,
};

/** In bytes. */
export type Memory = Pick<NodeJS.MemoryUsage, 'rss' | 'heapUsed' | 'external' | 'arrayBuffers'>;

/** What it holds now. */
export async function memoryOf(running: Running): Promise<Memory> {
  const told = () =>
    running
      .stderr()
      .split('\n')
      .filter((line) => line.startsWith(SAYS));
  const before = told().length;
  running.child.kill('SIGUSR2');
  await expect.poll(() => told().length, { timeout: 60_000 }).toBeGreaterThan(before);
  return JSON.parse(String(told().at(-1)).slice(SAYS.length)) as Memory;
}
