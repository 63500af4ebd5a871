/** queue: a Redis for one test file, with both queues in it as other programs see them: through BullMQ alone. */
import { Queue, QueueEvents } from 'bullmq';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { startRedis, type TestRedis } from './redis.ts';

/** A schedule of which no run comes between: an interval's first one would start at once. */
export const NEVER = { STALESWEEP_CRON: '0 0 1 1 *' };
/** As long as any run may take on a machine that does much else. */
export const MOST_WAIT_MS = 120_000;

interface Parts {
  readonly server: TestRedis;
  readonly runs: Queue;
  readonly schedule: Queue;
  /** What happens to runs, and to ticks. */
  readonly events: QueueEvents;
  readonly ticks: QueueEvents;
}

/** How other programs open either queue. */
export function optionsFor({ port }: { readonly port: number }) {
  return {
    connection: { host: '127.0.0.1', port },
    prefix: '{stalesweep}',
  };
}

/** Opens both queues in this Redis. */
async function open(server: TestRedis): Promise<Parts> {
  const options = optionsFor(server);
  const [events, ticks] = [new QueueEvents('cleanup', options), new QueueEvents('schedule', options)];
  const parts = {
    server,
    runs: new Queue('cleanup', options),
    schedule: new Queue('schedule', options),
    events,
    ticks,
  };
  await Promise.all([events.waitUntilReady(), ticks.waitUntilReady()]);
  return parts;
}

/** Both queues, in a Redis that is empty before each test. */
export function useQueue() {
  let parts: Parts | undefined;
  const current = (): Parts => {
    if (parts === undefined) throw new Error('the queues of this file are open only while its tests run');
    return parts;
  };
  beforeAll(async () => {
    parts = await open(await startRedis());
  });
  beforeEach(async () => {
    await current().server.redis.flushall();
  });
  afterAll(async () => {
    if (parts === undefined) return;
    const { server, runs, schedule, events, ticks } = parts;
    await Promise.all([events, ticks, runs, schedule].map(async (part) => await part.close()));
    await server.stop();
  });
  return {
    get server() {
      return current().server;
    },
    get runs() {
      return current().runs;
    },
    get schedule() {
      return current().schedule;
    },
    get events() {
      return current().events;
    },
    get ticks() {
      return current().ticks;
    },
    /** The environment of a process that cleans, and has its queue, in this Redis. */
    env: (more: Record<string, string> = {}): Record<string, string> => ({ REDIS_URL: current().server.url, ...more }),
    /** The report of a run, once it has ended. Fails when it does. */
    finished: async (id: string): Promise<Report> => {
      const job = await current().runs.getJob(id);
      if (!job) throw new Error(`no job ${id}`);
      return (await job.waitUntilFinished(current().events, MOST_WAIT_MS)) as Report;
    },
    /** The keys that are not stalesweep's own, sorted. */
    keysLeft: async (): Promise<string[]> =>
      (await current().server.redis.keys('*')).filter((key) => !key.startsWith('{stalesweep}')).sort(),
  };
}
