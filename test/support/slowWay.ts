/** slow way: a way to a Redis that takes time, as networks do, by a proxy in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROXY = fileURLToPath(new URL('slowWay.mjs', import.meta.url));

export interface SlowWay {
  readonly url: string;
  close(): Promise<void>;
}

/** Opens a way on which a round trip takes this long, and up to `jitterMs` more. */
export const openSlowWay = async (redisPort: number, roundTripMs: number, jitterMs: number): Promise<SlowWay> => {
  const proxy = spawn(process.execPath, [PROXY, `${redisPort}`, `${roundTripMs}`, `${jitterMs}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [port] = (await once(proxy.stdout, 'data')) as [Buffer];
  return {
    url: `redis://127.0.0.1:${Number(port.toString())}`,
    close: async () => {
      const gone = once(proxy, 'exit');
      proxy.stdin.end();
      await gone;
    },
  };
};
