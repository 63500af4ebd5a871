/** recorded run: a real run against a real target that stands in the ledger, as one of a worker or of the command line does. */
import type { Redis } from 'ioredis';
import { fingerprintOf } from '../../src/config/fingerprint.ts';
import type { Trigger } from '../../src/domain/report.ts';
import { RunFollower } from '../../src/ledger/recording/followRun.ts';
import { ledgerIn, runOf, unexpected } from '../ledger/story.ts';
import { clean, targetOf } from './cleanup.ts';

export interface RecordedRun {
  readonly run: string;
  readonly trigger?: Trigger;
  readonly by?: string | null;
  /** What the ledger calls the target. */
  readonly target?: string;
  /** Settings of the target. */
  readonly settings?: object;
}

/** Sweeps what is stale at `url`, and notes it in the ledger on `queue`. */
export async function sweepRecorded(queue: Redis, url: string, told: RecordedRun): Promise<void> {
  const { run, trigger = 'schedule', by = null, target = 'default', settings = {} } = told;
  const config = targetOf(url, settings);
  const { schema, trash } = config;
  const kept = trash > 0 ? { trashMs: trash } : {};
  const identity = {
    ...runOf(run, target),
    fingerprint: fingerprintOf(config),
    trigger,
    by,
    families: schema.families,
    ...kept,
  };
  const recorder = ledgerIn(queue).record(identity, unexpected);
  await recorder.begin();
  const follower = new RunFollower(recorder);
  const report = await clean(url, {
    run,
    trigger,
    settings,
    observer: {
      ...follower.observer,
      phase: (phase) => recorder.phase(phase),
    },
  });
  await recorder.end({ outcome: report.outcome, report });
}
