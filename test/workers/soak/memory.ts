/** soak: a worker's memory through 320 runs, or `SOAK_RUNS`, over a target whose coordinators come and go: only pages of the ledger that it
 * keeps may add to it, 32 MB at most (P9). */
import { expect, onTestFinished, test } from 'vitest';
import { startWorker } from '../../support/cli.ts';
import { configFile } from '../../support/files.ts';
import { NEVER, useQueue } from '../../support/queue.ts';
import { beat, nowOf, writeAll } from '../../support/world.ts';
import { type Memory, memoryOf, TELLING_MEMORY } from '../memory.ts';

const RUNS = Number(process.env.SOAK_RUNS || 320);
/** After so many everything has been loaded, compiled and warmed up. */
const WARM = 30;
const SAMPLES = 7;
const LIVING = 1_000;
const LEAVE_EACH_RUN = 100;
const COME_STALE = 300;
const KEPT_PAGES_BYTES = 32 * 1024 * 1024;
/** Code that is compiled late, and what the collector leaves. */
const SPARE_BYTES = 8 * 1024 * 1024;

const queue = useQueue();

/** Everything that a coordinator has, with a beat so many seconds ago. */
function thingsOf(id: string, now: number, silentSeconds: number): Record<string, string> {
  return {
    [`blocking:heartbeat:${id}`]: beat(now - silentSeconds * 1_000, id),
    [`blocking:signal:${id}`]: '1',
    [`blocking:ack:${id}:1`]: '1',
    [`blocking:idempotency:${id}:other:completion:1:1760000000000`]: '1',
  };
}

test('a worker holds no more after hundreds of runs than after some (P9)', async () => {
  const { redis, url } = queue.server;
  const settings = {
    schema: 'flat',
    suddenSilence: false,
    announce: { stream: 'said', maxLength: 1_000 },
    trash: '10s',
    ledger: { detail: 'keys' },
    queue: { url },
  };
  const file = await configFile(JSON.stringify(settings), onTestFinished);
  const worker = await startWorker({
    REDIS_URL: url,
    STALESWEEP_CONFIG: file,
    LOG_LEVEL: 'info',
    ...NEVER,
    ...TELLING_MEMORY,
  });
  const samples: Memory[] = [];
  let swept = 0;
  for (let n = 0; n < RUNS; n++) {
    const now = await nowOf(redis);
    const things: Record<string, string> = {};
    // Who leaves was there in the last round, and comes no more.
    for (let i = 0; i < LIVING; i++) {
      const id = `team-${i % 50}:c${n * LEAVE_EACH_RUN + i}`;
      Object.assign(things, thingsOf(id, now, 0));
    }
    for (let i = 0; n > 0 && i < LEAVE_EACH_RUN; i++) {
      const id = `team-${i % 50}:c${(n - 1) * LEAVE_EACH_RUN + i}`;
      Object.assign(things, thingsOf(id, now, 700));
    }
    for (let i = 0; i < COME_STALE; i++) Object.assign(things, thingsOf(`gone-${n}-${i}`, now, 700));
    await writeAll(redis, things);
    const job = await queue.runs.add('cleanup', { target: 'default' }, { removeOnComplete: true });
    const { coordinators } = await queue.finished(String(job.id));
    swept += coordinators.swept;
    if (n >= WARM && (n - WARM) % Math.floor((RUNS - WARM - 1) / (SAMPLES - 1)) === 0) {
      const memory = await memoryOf(worker);
      samples.push(memory);
      const mb = Object.entries(memory).map(([name, bytes]) => `${name} ${(bytes / 1e6).toFixed(1)}`);
      console.log(`after ${n + 1} runs, ${swept} swept, in MB: ${mb.join(', ')}`);
    }
  }
  const held = samples.map(({ heapUsed, external }) => heapUsed + external);
  const [first = 0, last = 0] = [held[0], held.at(-1)];
  expect(last - first).toBeLessThan(KEPT_PAGES_BYTES + SPARE_BYTES);
  expect((samples.at(-1)?.rss ?? 0) - (samples[0]?.rss ?? 0)).toBeLessThan(KEPT_PAGES_BYTES + 3 * SPARE_BYTES);
  expect((await worker.kill('SIGTERM')).code).toBe(0);
});
