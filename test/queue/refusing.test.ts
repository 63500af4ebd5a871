import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { enqueue } from '../../src/queue/runs/enqueue.ts';
import { explainRefusal } from '../../src/queue/refusal.ts';
import { connect } from '../../src/redis/connection/connect.ts';
import { startDashboard, type TestDashboard } from '../support/dashboard.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

// A queue whose Redis answers, but takes no writes.

let queue: TestRedis;
let target: TestRedis;
let dashboard: TestDashboard;
beforeEach(async () => {
  [queue, target] = await Promise.all([startRedis(), startRedis()]);
  dashboard = await startDashboard({ REDIS_URL: target.url, QUEUE_REDIS_URL: queue.url });
});
afterEach(async () => {
  await dashboard.close();
  await Promise.all([queue.stop(), target.stop()]);
});

async function connections(): Promise<number> {
  return Number(/total_connections_received:(\d+)/.exec(await queue.redis.info('stats'))?.[1]);
}

test.each([
  [
    'a replica',
    async () => await queue.redis.replicaof('127.0.0.1', target.port),
    /replica.*point QUEUE_REDIS_URL at the primary/,
  ],
  ['full', async () => await queue.redis.config('SET', 'maxmemory', '1'), /full \(maxmemory\)/],
])(
  '%s: readiness and whoever asks for a run say so, and nobody reconnects again and again',
  async (_, refuse, sentence) => {
    expect((await dashboard.ask('/readyz')).status).toBe(200);
    await refuse();
    const before = await connections();
    for (let i = 0; i < 20; i++) {
      const ready = await dashboard.ask('/readyz');
      expect(ready.status).toBe(503);
      expect(((await ready.json()) as { reason: string }).reason).toMatch(sentence);
      const asked = enqueue(dashboard.queues.runs, dashboard.config.targets, { target: 'default' });
      await expect(asked.catch((error: unknown) => Promise.reject(explainRefusal(error)))).rejects.toThrow(sentence);
    }
    expect((await connections()) - before).toBeLessThan(10);
  },
);

test.each([
  ['-ERR max number of clients reached\r\n', 'it says: max number of clients reached'],
  [
    '-DENIED Redis is running in protected mode because protected mode is enabled. In this mode …\r\n',
    'it says: DENIED Redis is running in protected mode because protected mode is enabled',
  ],
  ['HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n', 'what answers there speaks HTTP; it is no Redis'],
  ['SSH-2.0-OpenSSH_9.6\r\n', 'what answers there speaks SSH; it is no Redis'],
])('a server that answers %j is told as what it is', async (words, sentence) => {
  const other = createServer((socket) => socket.on('error', () => {}).end(words)).listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  await expect(connect(`redis://127.0.0.1:${port}`)).rejects.toThrow(`could not be reached: ${sentence}`);
  other.close();
});

// What a client sends to a connection that Redis has closed makes the system drop what Redis had said there, nine times of ten.
test('a server that has no room for clients is told as one, whether its words come through or not (O12)', async () => {
  await target.redis.config('SET', 'maxclients', '1');
  for (let i = 0; i < 10; i++) {
    await expect(connect(target.url)).rejects.toThrow('could not be reached: it says: max number of clients reached');
  }
});
