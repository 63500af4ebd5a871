/** flat: one worker that takes thousands of runs of many targets, and how much memory it holds meanwhile. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, type TestContext } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { startWorker } from '../support/cli.ts';
import { configFile } from '../support/files.ts';
import type { useQueue } from '../support/queue.ts';
import { startRedis } from '../support/redis.ts';
import { settle } from '../support/world.ts';

const TARGETS = 16;
const LIVING = 200;
const SILENT_SECONDS = 7_200;
const LOOK_EVERY_MS = 500;

function rssBytesOf(pid: number): number {
  const status = `/proc/${pid}/status`;
  if (!existsSync(status)) throw new Error('how much memory another process holds is read where Linux tells it');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(status, 'utf8'))?.[1]) * 1024;
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** What a worker held in each quarter of its runs, how many runs it ended, and how many went in them. */
export interface Flat {
  readonly runs: number;
  readonly swept: number;
  readonly quartersBytes: readonly number[];
}

/** Has a worker process do so many runs, in which now and then somebody goes; resolves to the medians of what it held. */
export async function holdFlat(
  queue: ReturnType<typeof useQueue>,
  runs: number,
  finished: TestContext['onTestFinished'],
): Promise<Flat> {
  const server = await startRedis(['--databases', '32']);
  finished(async () => await server.stop());
  const { redis } = server;
  for (let db = 0; db < TARGETS; db++) {
    await redis.select(db);
    for (let n = 0; n < LIVING; n++) await settle(redis, `living-${n}`, 0);
  }
  const targets = Array.from({ length: TARGETS }, (_, db) => `  t${db}: { url: "${server.url}/${db}" }`);
  const file = await configFile(
    // All are full passes; nobody beats while it lasts.
    `every: 1s\nstaleAfter: 1h\nhorizon: false\nqueue: { url: "${queue.server.url}" }\ntargets:\n${targets.join('\n')}\n`,
    finished,
  );
  const told = { runs: 0, swept: 0 };
  queue.events.on('completed', ({ returnvalue }) => {
    const { outcome, coordinators } = returnvalue as unknown as Report;
    if (outcome === 'completed') told.runs++;
    told.swept += coordinators.swept;
  });
  const worker = await startWorker({ STALESWEEP_CONFIG: file, LOG_LEVEL: 'info' }, finished);
  const quarters: number[][] = [[], [], [], []];
  for (let died = 0; told.runs < runs; died++) {
    const quarter = quarters[Math.floor((4 * told.runs) / runs)];
    quarter?.push(rssBytesOf(worker.child.pid as number));
    await redis.select(died % TARGETS);
    await settle(redis, `dead-${died}`, SILENT_SECONDS);
    await pause(LOOK_EVERY_MS);
  }
  expect((await worker.kill('SIGTERM')).code).toBe(0);
  return { ...told, quartersBytes: quarters.map(medianOf) };
}
