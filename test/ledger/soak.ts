/** soak: what the history says of processes that are killed in mid-run; and who was swept is found among a million. */
import { performance } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { sweptOf } from '../../src/explain/swept.ts';
import type { Report } from '../../src/domain/report.ts';
import { cli, start, startWorker } from '../support/cli.ts';
import { populate } from '../support/populate.ts';
import { NEVER, useQueue } from '../support/queue.ts';
import { ledgerIn, reportOf, runOf, unexpected } from './story.ts';

const MANY = 10_000;
const WITHIN_MS = 15_000;
const SLOW = { STALESWEEP_NICE: '4', STALESWEEP_CALL_BUDGET: '0.2ms', STALESWEEP_SUDDEN_SILENCE: 'false', ...NEVER };
const LOT = 10_000;
const LOTS = 100;

interface Row {
  readonly run: string;
  readonly state: string;
  readonly attempts: number;
  readonly report: Report | null;
  readonly removed?: { readonly swept: number; readonly deleted: number };
}

const queue = useQueue();
async function heartbeatsLeft(): Promise<number> {
  return (await queue.server.redis.keys('swarm:*:blocking:heartbeat:*')).length;
}
async function newest(): Promise<Row | undefined> {
  const { stdout } = await cli(['history', '--json', '--limit', '1'], queue.env());
  return (JSON.parse(stdout) as Row[])[0];
}

test('a run from the command line that is killed when half is gone stands in the history as interrupted within 15 s', async () => {
  await populate({ REDIS_URL: queue.server.url }, MANY, MANY);
  const run = start(['run', '--json'], queue.env(SLOW));
  await expect.poll(heartbeatsLeft, { interval: 20, timeout: 300_000 }).toBeLessThan(MANY / 2);
  await run.kill('SIGKILL');
  const killedAt = performance.now();
  await expect.poll(async () => (await newest())?.state, { interval: 100, timeout: 60_000 }).toBe('interrupted');
  const tookMs = performance.now() - killedAt;
  const row = await newest();
  const left = await heartbeatsLeft();
  console.log(`interrupted after ${Math.round(tookMs)} ms: ${JSON.stringify(row)}; ${left} of ${MANY} are left`);
  expect(tookMs).toBeLessThan(WITHIN_MS + 5_000);
  const rest = JSON.parse((await cli(['run', '--json'], queue.env())).stdout) as Report;
  expect(rest.coordinators.swept).toBe(left);
  expect(await queue.keysLeft()).toEqual([]);
});

test('a run whose worker is killed when half is gone is gone on with within 15 s, and its counts are of all', async () => {
  await populate({ REDIS_URL: queue.server.url }, MANY, MANY);
  const first = await startWorker(queue.env({ ...SLOW, LOG_LEVEL: 'info' }));
  const { run } = JSON.parse((await cli(['enqueue', '--json'], queue.env(SLOW))).stdout) as { run: string };
  // The other one comes once the first has the run.
  await expect.poll(heartbeatsLeft, { interval: 20, timeout: 300_000 }).toBeLessThan(MANY);
  await startWorker(queue.env({ ...SLOW, STALESWEEP_NICE: '0', LOG_LEVEL: 'info' }));
  await expect.poll(heartbeatsLeft, { interval: 20, timeout: 300_000 }).toBeLessThan(MANY / 2);
  const [left] = [await heartbeatsLeft(), await first.kill('SIGKILL')];
  const killedAt = performance.now();
  await expect.poll(heartbeatsLeft, { interval: 20, timeout: 60_000 }).toBeLessThan(Math.max(1, left - MANY / 20));
  console.log(`gone on after ${Math.round(performance.now() - killedAt)} ms`);
  const report = await queue.finished(run);
  console.log(JSON.stringify(report));
  expect(report.coordinators).toMatchObject({ stale: MANY, swept: MANY, revived: 0 });
  expect(await newest()).toMatchObject({ run, state: 'completed' });
  expect(await queue.keysLeft()).toEqual([]);
});

test('explains one of a million that were swept, in far less than a second of CPU', async () => {
  const { redis } = queue.server;
  const ledger = ledgerIn(redis);
  for (let lot = 0; lot < LOTS; lot++) {
    const recorder = ledger.record(runOf(`r${lot}`), unexpected);
    await recorder.begin();
    const swept = Array.from({ length: LOT }, (_, i) => ({
      coordinator: Buffer.from(`swarm-${lot}:coordinator-${(i * 7_919) % LOT}`),
      swarm: null,
      beatMs: 1_760_000_000_000 + i,
      silenceSeconds: 700,
      keysByFamily: [1, 1, 2, 2, 1, 0],
    }));
    await recorder.removing(swept);
    recorder.removed(swept);
    await recorder.end({ outcome: 'completed', report: reportOf(`r${lot}`, 'default', LOT) });
  }
  const used = async (): Promise<number> => {
    const cpu = await redis.info('cpu');
    return Number(/^used_cpu_user:(.*)/m.exec(cpu)?.[1]) + Number(/^used_cpu_sys:(.*)/m.exec(cpu)?.[1]);
  };
  for (const [id, times] of [
    ['swarm-57:coordinator-4711', 1],
    ['swarm-57:coordinator-none', 0],
  ] as const) {
    const [redisBefore, before, startedAt] = [await used(), process.cpuUsage(), performance.now()];
    const { swept, damaged } = await sweptOf(ledger, [Buffer.from(id)], {});
    const { user, system } = process.cpuUsage(before);
    const cpuMs = (user + system) / 1_000;
    const tookMs = performance.now() - startedAt;
    console.log(
      `${id}: ${tookMs.toFixed(0)} ms, of CPU ${cpuMs.toFixed(0)} ms, of Redis' ${((await used()) - redisBefore) * 1_000} ms`,
    );
    expect({ times: swept.length, damaged }).toEqual({ times, damaged: 0 });
    expect(cpuMs).toBeLessThan(1_000);
  }
  const { code, stdout } = await cli(['explain', 'swarm-57:coordinator-4711', '--json'], queue.env());
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject([{ swept: [{ run: 'r57', silenceSeconds: 700 }] }]);
  console.log(`the ledger takes ${/^used_memory_human:(.*)/m.exec(await redis.info('memory'))?.[1]}`);
});
