/** firstLook: what `demo` begins with: sample coordinators, and their first cleanup. */
import type { Config, TargetConfig } from '../../src/config/resolve.ts';
import type { Report } from '../../src/domain/report.ts';
import { enqueue } from '../../src/queue/runs/enqueue.ts';
import { openQueues } from '../../src/queue/queues.ts';
import { waitForRun } from '../../src/queue/runs/waitForRun.ts';
import { connect } from '../../src/redis/connection/connect.ts';
import { populate } from '../../src/redis/sample/populate.ts';

export const SAMPLE = { coordinators: 10_000, stale: 9_900, acks: 2, idempotency: 1 } as const;
const QUIET = { onError: () => {}, onReady: () => {} };

/** Writes the sample coordinators into the private Redis, or until `stop`, which it throws: all of them take a second of CPU. */
export async function fillWithSample(target: TargetConfig, stop: AbortSignal): Promise<void> {
  const redis = await connect(target);
  try {
    const sample = { ...SAMPLE, staleAfterSeconds: target.staleAfterSeconds };
    await populate(redis, target.schema, sample, () => stop.throwIfAborted());
  } finally {
    redis.disconnect();
  }
}

/** Asks for a run of the target `default` through the queue and waits for its report, or until `stop`, which it throws. */
export async function runOnce(config: Config, stop: AbortSignal): Promise<Report> {
  const queues = await openQueues(config.queue, QUIET);
  try {
    const { run } = await enqueue(queues.runs, config.targets, { target: 'default', trigger: 'manual' });
    return await waitForRun(queues, config.queue, QUIET, run, stop);
  } finally {
    await queues.close();
  }
}
