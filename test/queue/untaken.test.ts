import { expect, onTestFinished, test } from 'vitest';
import { examine } from '../../src/cli/examine/doctor.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { explainRefusal } from '../../src/queue/refusal.ts';
import { openQueues } from '../../src/queue/queues.ts';
import { enqueue } from '../../src/queue/runs/enqueue.ts';
import { startRedis } from '../support/redis.ts';
import { work } from '../support/worker.ts';

// A queue's Redis that lacks what BullMQ waits for or writes by, as rented ones do.

const QUIET = { onError: () => {}, onReady: () => {} };

async function withoutCommand(name: string) {
  const server = await startRedis(['--rename-command', name, '']);
  onTestFinished(async () => await server.stop());
  return resolveConfig({}, { REDIS_URL: server.url, QUEUE_REDIS_URL: server.url, STALESWEEP_CRON: '0 0 1 1 *' });
}

test.each(['BZPOPMIN', 'XADD', 'XREAD', 'EVAL'])(
  'a worker whose queue can not do without %s says so and ends, and so does doctor',
  async (name) => {
    const config = await withoutCommand(name);
    const sentence = `the queue's Redis does not take ${name} (ERR unknown command '${name}'); a queue needs that: use a server that has it`;
    await expect(work(config)).rejects.toThrow(sentence);
    const findings = await examine(config, []);
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'commands', status: 'failed', message: sentence }),
    );
  },
);

test('what its scripts may not do is told without the script', async () => {
  const config = await withoutCommand('XADD');
  const queues = await openQueues(config.queue, QUIET);
  onTestFinished(async () => await queues.close());
  const error: unknown = await enqueue(queues.runs, config.targets, { target: 'default' }).catch((one: unknown) => one);
  // Valkey does not say whose command.
  expect((explainRefusal(error) as Error).message.replace('Unknown Redis', 'Unknown')).toBe(
    "the queue's Redis says: ERR Unknown command called from script",
  );
});
