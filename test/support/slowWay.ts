/** slow way: a way to a Redis that takes time, as networks do, by a proxy in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';

/** Its source, also when this file was built: the compiler leaves it behind. */
const PROXY = createRequire(import.meta.url).resolve('#root/test/support/slowWay.mjs');

export interface SlowWay {
  readonly url: string;
  /** How many connections it has ended so far. */
  readonly cuts: number;
  close(): Promise<void>;
}

/**
 * Opens a way on which a round trip takes this long, and up to `jitterMs` more.
 * @param cutAfter between how many and how many bytes each connection is ended; left out: none is
 */
export async function openSlowWay(
  redisPort: number,
  roundTripMs: number,
  jitterMs: number,
  cutAfter: readonly [least: number, most: number] | null = null,
): Promise<SlowWay> {
  const numbers = [redisPort, roundTripMs, jitterMs, ...(cutAfter ?? [])];
  const proxy = spawn(process.execPath, [PROXY, ...numbers.map(String)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(proxy, 'exit').then(([code]) => {
    throw new Error(`the slow way ended with exit code ${code}`);
  });
  ended.catch(() => {});
  const [port] = (await Promise.race([once(proxy.stdout, 'data'), ended])) as [Buffer];
  let cuts = 0;
  proxy.stdout.on('data', (lines: Buffer) => {
    cuts += lines.toString().split('cut').length - 1;
  });
  return {
    url: `redis://127.0.0.1:${Number(port.toString())}`,
    get cuts() {
      return cuts;
    },
    close: async () => {
      const gone = once(proxy, 'exit');
      proxy.stdin.end();
      await gone;
    },
  };
}
