import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { configFile } from '../support/files.ts';
import { useQueue } from '../support/queue.ts';
import { work } from '../support/worker.ts';

const queue = useQueue();
const SILENT = Array.from({ length: 8 }, (_, i) => `silent-${i}`);
const ATTEMPTS = 3;

/** A port that takes every connection and never answers. */
let silent: Server;
const taken: Socket[] = [];
beforeAll(async () => {
  silent = createServer((socket) => taken.push(socket.on('error', () => {})));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
});
afterAll(() => {
  for (const socket of taken) socket.destroy();
  silent.close();
});

function addressOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on a port');
  return `redis://127.0.0.1:${address.port}`;
}

test('eight targets that are silent keep none from the one that lives, with a concurrency of two (O14)', async () => {
  const targets = SILENT.map((name) => `  ${name}: { url: "${addressOf(silent)}", cron: "0 0 1 1 *" }`);
  const file = await configFile(
    `concurrency: 2\nqueue: { url: "${queue.server.url}" }\ntargets:\n  live: { url: "${queue.server.url}/1", every: 2s }\n${targets.join('\n')}\n`,
  );
  const ticksOf: string[] = [];
  const ended: Report[] = [];
  queue.ticks.on('completed', ({ returnvalue }) => ticksOf.push(String(returnvalue)));
  queue.events.on('completed', ({ returnvalue }) => ended.push(returnvalue as unknown as Report));
  const jobs = await Promise.all(
    SILENT.map(async (target) => await queue.runs.add('cleanup', { target }, { attempts: ATTEMPTS, backoff: 500 })),
  );
  await work({ STALESWEEP_CONFIG: file });
  const failures = await Promise.allSettled(jobs.map(async ({ id }) => await queue.finished(String(id))));
  for (const failure of failures) {
    expect(failure).toMatchObject({
      status: 'rejected',
      reason: { message: expect.stringContaining('no answer in time') },
    });
  }
  for (const { id } of jobs) expect((await queue.runs.getJob(String(id)))?.attemptsMade).toBe(ATTEMPTS);
  // A tick whose run has to wait for its turn is followed by one that joins it: before, two of three did.
  const ran = ended.filter(({ target, outcome }) => target === 'live' && outcome === 'completed');
  expect(ticksOf.length).toBeGreaterThan(8);
  expect(new Set(ticksOf).size).toBeGreaterThan(0.8 * ticksOf.length);
  expect(ran.length).toBeGreaterThan(0.8 * ticksOf.length);
});
