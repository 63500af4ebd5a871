/** slow way: a way to a Redis that takes time, as networks do, by a proxy in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';

/** Its source, also when this file was built: the compiler leaves it behind. */
const PROXY = createRequire(import.meta.url).resolve('#root/test/support/slowWay.mjs');

export interface SlowWay {
  readonly url: string;
  close(): Promise<void>;
}

/** Opens a way on which a round trip takes this long, and up to `jitterMs` more. */
export const openSlowWay = async (redisPort: number, roundTripMs: number, jitterMs: number): Promise<SlowWay> => {
  const proxy = spawn(process.execPath, [PROXY, `${redisPort}`, `${roundTripMs}`, `${jitterMs}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(proxy, 'exit').then(([code]) => {
    throw new Error(`the slow way ended with exit code ${code}`);
  });
  ended.catch(() => {});
  const [port] = (await Promise.race([once(proxy.stdout, 'data'), ended])) as [Buffer];
  return {
    url: `redis://127.0.0.1:${Number(port.toString())}`,
    close: async () => {
      const gone = once(proxy, 'exit');
      proxy.stdin.end();
      await gone;
    },
  };
};
