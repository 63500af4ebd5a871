/** attempts: how an attempt that failed stands in the queue, and whether another one follows. */
import { Failure, sentenceOf } from '../../src/domain/failure.ts';
import { explainRefusal } from '../../src/queue/refusal.ts';
import { UnrecoverableError } from '../../src/queue/bullmq.ts';
import type { RunJob } from './journal.ts';

/** However many attempts other programs give a job, and without a pause between them: a target may be down for a night. */
const MOST_ATTEMPTS = 10;

/** An error as the history shows it: one sentence, no stack. */
export function forHistory(error: unknown, attempts: number): Error {
  const denied = error instanceof Failure && error.code !== 'UNREACHABLE' && error.code !== 'INTERRUPTED';
  const isFinal = denied || error instanceof UnrecoverableError || attempts >= MOST_ATTEMPTS;
  // What the target says was explained where it was said.
  const sentence = sentenceOf(explainRefusal(error));
  const shown = isFinal ? new UnrecoverableError(sentence) : new Error(sentence);
  shown.stack = `${shown.name}: ${shown.message}`;
  // For whoever wonders why; the queue keeps only the message.
  shown.cause = error;
  return shown;
}

/** Whether no other attempt follows one that failed so. */
export function isLast(job: RunJob, shown: Error): boolean {
  return shown instanceof UnrecoverableError || job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
}
