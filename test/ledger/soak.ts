/** soak: who was swept is found among a million. */
import { performance } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { sweptOf } from '../../src/explain/swept.ts';
import { cli } from '../support/cli.ts';
import { useQueue } from '../support/queue.ts';
import { ledgerIn, reportOf, runOf, unexpected } from './story.ts';

const LOT = 10_000;
const LOTS = 100;

const queue = useQueue();

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
