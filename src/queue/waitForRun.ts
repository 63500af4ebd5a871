/** waitForRun: the report of a run, once it has ended. */
import { QueueEvents } from 'bullmq';
import { Failure, sentenceOf } from '../domain/failure.ts';
import type { Report } from '../domain/report.ts';
import { PREFIX, RUN_QUEUE } from './names.ts';
import { connectQueue, type Queues, type QueueWatch } from './queues.ts';

/** Waits until a run has ended, however long that takes. Fails (`RUN_FAILED`) when it fails or was removed. */
export const waitForRun = async (queues: Queues, queueUrl: string, watch: QueueWatch, run: string): Promise<Report> => {
  const connection = await connectQueue(queueUrl, watch, true);
  const events = new QueueEvents(RUN_QUEUE, { connection, prefix: PREFIX });
  events.on('error', watch.onError);
  try {
    await events.waitUntilReady();
    const job = await queues.runs.getJob(run);
    if (!job) throw new Failure('RUN_FAILED', `run ${run} is no longer in the queue`);
    try {
      return (await job.waitUntilFinished(events)) as Report;
    } catch (error) {
      throw new Failure('RUN_FAILED', `run ${run} failed: ${sentenceOf(error)}`, { cause: error });
    }
  } finally {
    await events.close();
    connection.disconnect();
  }
};
