/** recording: one run from the queue, as it stands in the ledger (P13): begun before anything goes, its end after, whatever that is. */
import type { Observer, Phase } from '../../src/cleanup/context.ts';
import { fingerprintOf } from '../../src/config/fingerprint.ts';
import { sentenceOf } from '../../src/domain/failure.ts';
import { explainRefusal } from '../../src/queue/refusal.ts';
import { isoOf } from '../../src/domain/instant.ts';
import type { Report } from '../../src/domain/report.ts';
import { RunFollower } from '../../src/ledger/recording/followRun.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { RunRecorder } from '../../src/ledger/recording/recorder.ts';
import { askerOf } from '../../src/queue/runs/asker.ts';
import type { RunPayload } from '../../src/queue/runs/payload.ts';
import type { RunJob } from './journal.ts';

export interface RecordedRun {
  readonly payload: RunPayload;
  /** Its report before it has looked at anything. */
  readonly soFar: () => Report;
  /** As `RunToRecord` has them. */
  readonly insistMs: () => number;
  readonly until: AbortSignal;
  readonly makesRoom: boolean;
}

export class Recording {
  readonly #recorder: RunRecorder;
  readonly #follower: RunFollower;

  private constructor(
    recorder: RunRecorder,
    private readonly dryRun: boolean,
  ) {
    this.#recorder = recorder;
    this.#follower = new RunFollower(recorder);
  }

  /**
   * Notes that the run begins or goes on; resolves once that stands there, or the run is not to be done here any more. Where Redis refuses
   * it, that is said once, and the run goes on.
   */
  static async begin(
    ledger: Ledger,
    job: RunJob,
    { payload, soFar, ...told }: RecordedRun,
    warn: (sentence: string) => void,
  ): Promise<Recording> {
    const { target, trigger, dryRun } = payload;
    const identity = {
      ...told,
      ...{ run: String(job.id), attempt: job.attemptsMade + 1, by: askerOf(job) },
      // A worker was taken for gone under it, who may have ended it.
      again: job.stalledCounter > 0,
      ...{ target: target.name, fingerprint: fingerprintOf(target), trigger, dryRun },
      // It may say anything.
      ...(isoOf(job.timestamp) === null ? {} : { addedAtMs: job.timestamp }),
      ...(target.trash > 0 ? { trashMs: target.trash } : {}),
    };
    const recorder = ledger.record({ ...identity, families: target.schema.families }, warn);
    recorder.begins(soFar);
    await recorder.begin();
    return new Recording(recorder, dryRun);
  }

  /** What the run is to tell of itself. */
  get observer(): Observer {
    const begins: Observer['begins'] = (soFar) => this.#recorder.begins(soFar);
    if (this.dryRun) return { begins };
    return {
      begins,
      ...this.#follower.observer,
    };
  }

  /** Notes that the run has come further. */
  progress(): void {
    this.#recorder.progress();
  }

  phase(phase: Phase): void {
    this.#recorder.phase(phase);
  }

  async ended(report: Report): Promise<void> {
    await this.#recorder.end({ outcome: report.outcome, report });
  }

  /** @param goesOn whether another attempt will follow */
  async failed(error: unknown, goesOn: boolean): Promise<void> {
    const reason = sentenceOf(explainRefusal(error));
    await (goesOn ? this.#recorder.suspend(reason) : this.#recorder.end({ outcome: 'failed', reason }));
  }

  /** Nobody will go on with it: its job has left the queue. */
  async gone(): Promise<void> {
    await this.#recorder.end({ outcome: 'interrupted', reason: 'its job is not in the queue any more' });
  }

  /** Another worker has taken the run over. */
  lost(): void {
    this.#recorder.leave();
  }
}
