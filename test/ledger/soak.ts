/** soak: who was swept is found among a million. */
import { performance } from 'node:perf_hooks';
import { batchName, sweptName } from '../../src/ledger/runs/names.ts';
import { Batch, BatchRoom } from '../../src/ledger/swept/batch.ts';
import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { sweptOf } from '../../src/explain/swept.ts';
import { cli } from '../support/cli.ts';
import { useQueue } from '../support/queue.ts';
import { blocksIn, FAMILIES, ledgerIn, reportOf, runOf, unexpected } from './story.ts';

const LOT = 10_000;
const LOTS = 100;

const queue = useQueue();

/** CPU time of Redis, in seconds. */
async function used(redis: Redis): Promise<number> {
  const cpu = await redis.info('cpu');
  return Number(/^used_cpu_user:(.*)/m.exec(cpu)?.[1]) + Number(/^used_cpu_sys:(.*)/m.exec(cpu)?.[1]);
}

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
  for (const [id, times] of [
    ['swarm-57:coordinator-4711', 1],
    ['swarm-57:coordinator-none', 0],
  ] as const) {
    const [redisBefore, before, startedAt] = [await used(redis), process.cpuUsage(), performance.now()];
    const { swept, damaged } = await sweptOf(ledger, [Buffer.from(id)], {});
    const { user, system } = process.cpuUsage(before);
    const cpuMs = (user + system) / 1_000;
    const tookMs = performance.now() - startedAt;
    console.log(
      `${id}: ${tookMs.toFixed(0)} ms, of CPU ${cpuMs.toFixed(0)} ms, of Redis' ${((await used(redis)) - redisBefore) * 1_000} ms`,
    );
    expect({ times: swept.length, damaged }).toEqual({ times, damaged: 0 });
    expect(cpuMs).toBeLessThan(1_000);
  }
  const { code, stdout } = await cli(['explain', 'swarm-57:coordinator-4711', '--json'], queue.env());
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject([{ swept: [{ run: 'r57', silenceSeconds: 700 }] }]);
  console.log(`the ledger takes ${/^used_memory_human:(.*)/m.exec(await redis.info('memory'))?.[1]}`);
});

const SMALL = 25_000;
const TARGETS = 50;

/** Batches of a few coordinators, as small swarms leave them in three months; resolves to how many coordinators. */
async function writeSmallBatches(redis: Redis): Promise<number> {
  const blocks = blocksIn(redis);
  const room = new BatchRoom();
  let ids = 0;
  for (let nth = 0; nth < SMALL; nth++) {
    const batch = new Batch(room, 0);
    for (let i = 0; i <= nth % 40; i++) {
      const one = { coordinator: Buffer.from(`coordinator-${ids++}`), swarm: null, beatMs: nth, silenceSeconds: 700 };
      room.take(one);
      batch.add(one);
    }
    await batch.close();
    const target = `target-${nth % TARGETS}`;
    const atMs = 1_760_000_000_000 + nth * 200_000;
    const run = { run: `r${nth}`, startedAtMs: atMs };
    const bytes = await batch.encode({ ...run, target, trigger: 'schedule', by: null, atMs, families: FAMILIES });
    await blocks.write(batchName(sweptName(target, run), atMs, 0), bytes, { atMs });
  }
  return ids;
}

test('finds an id in 25,000 batches of 50 targets at hardly any cost to Redis, once it was asked for another', async () => {
  const { redis } = queue.server;
  await redis.flushall();
  const ids = await writeSmallBatches(redis);
  const ledger = ledgerIn(redis);
  await redis.config('RESETSTAT');
  const costOf = async (id: string): Promise<number> => {
    const [redisBefore, before] = [await used(redis), process.cpuUsage()];
    const { swept } = await sweptOf(ledger, [Buffer.from(id)], {});
    const { user, system } = process.cpuUsage(before);
    const redisMs = ((await used(redis)) - redisBefore) * 1_000;
    console.log(`${id}: of CPU ${((user + system) / 1_000).toFixed(0)} ms, of Redis' ${redisMs.toFixed(0)} ms`);
    expect(swept).toHaveLength(id.startsWith('c') ? 1 : 0);
    return redisMs;
  };
  const first = await costOf('nobody');
  const stats = await redis.info('commandstats');
  const [, callUs] = /cmdstat_evalsha:.*usec_per_call=([\d.]+)/.exec(stats) ?? [];
  // On average, on a busy machine.
  expect(Number(callUs)).toBeLessThan(5_000);
  for (const id of ['nobody-else', `coordinator-${ids - 1}`, 'coordinator-0', `coordinator-${Math.floor(ids / 2)}`]) {
    expect(await costOf(id)).toBeLessThan(first / 10);
  }
});
