/** patientWorker: a BullMQ worker that does not ask a queue again at once that has just refused. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Job } from 'bullmq';
import { Worker } from '../src/queue/bullmq.ts';

const PAUSE_MS = 1_000;

/**
 * While a queue takes no writes (its memory is full, its snapshots fail), it can't hand out a run that is due. BullMQ asks
 * again at once, ten thousand times a second.
 */
export class PatientWorker<Data, Result = unknown> extends Worker<Data, Result> {
  protected override async moveToActive(token: string, name?: string): Promise<Job<Data, Result>> {
    try {
      return await super.moveToActive(token, name);
    } catch (error) {
      if (!this.closing) await pause(PAUSE_MS);
      throw error;
    }
  }
}
