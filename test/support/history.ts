/** history: a queue as it looks after thousands of runs. */
import type { Queues } from '../../src/queue/queues.ts';

const FAMILIES = ['heartbeat', 'signal', 'ack', 'idempotency', 'activity', 'state'];
const BATCH = 1_000;

function reportOf(run: string, at: number) {
  return {
    run,
    target: 'default',
    trigger: 'schedule',
    dryRun: false,
    outcome: 'completed',
    startedAt: new Date(at).toISOString(),
    finishedAt: new Date(at + 1_440).toISOString(),
    durationMs: 1_440,
    staleAfterSeconds: 600,
    coordinators: { checked: 100_000, active: 1_000, stale: 99_000, unreadable: 20, swept: 99_000, revived: 0 },
    keys: {
      found: 594_000,
      deleted: 594_000,
      orphans: 0,
      byFamily: Object.fromEntries(FAMILIES.map((family) => [family, 99_000])),
    },
    redis: { calls: 1_200, slowestCallMs: 2.1, memoryFreedBytes: 70_000_000 },
    chunks: 495,
    strategy: 'script',
    attempts: 1,
    unreadable: ['not-json', 'wrong-unit'].map((why) => ({
      why,
      count: 10,
      sample: Array.from({ length: 10 }, (_, i) => `swarm:s1:blocking:heartbeat:${why}-${i}`),
    })),
  };
}

/** Writes so many completed runs with their reports and logs, as a worker leaves them, into a queue without waiting ones. */
export async function writeHistory({ runs, connection }: Queues, past: number): Promise<void> {
  const start = Date.now() - past * 1_000;
  for (let from = 0; from < past; from += BATCH) {
    const ids = Array.from({ length: Math.min(BATCH, past - from) }, (_, i) => `past-${from + i}`);
    await runs.addBulk(ids.map((jobId) => ({ name: 'cleanup', data: { target: 'default' }, opts: { jobId } })));
    const pipeline = connection.pipeline();
    for (const [i, id] of ids.entries()) {
      const at = start + (from + i) * 1_000;
      const ended = { returnvalue: JSON.stringify(reportOf(id, at)), finishedOn: at, processedOn: at, timestamp: at };
      pipeline.hset(runs.toKey(id), ended);
      pipeline.rpush(runs.toKey(`${id}:logs`), 'mark: 100,000 coordinators', 'sweep: done', 'report: done');
      pipeline.zadd(runs.toKey('completed'), at, id);
    }
    await pipeline.exec();
    await connection.del(runs.toKey('wait'));
  }
}
