/** fence: whether a run is still this worker's to do, and how long its end is worth repeating to the queue. */
import type { Queues } from '../../src/queue/queues.ts';
import type { RunJob } from './journal.ts';

/**
 * How long the end of a run is repeated to a queue that does not take it, in ms: longer than it takes until a replica is promoted. Its
 * job could not end before either.
 */
const INSIST_MS = 30_000;
/** The same for a process that is to end. */
const LEAVE_MS = 5_000;

export class Fence {
  readonly #own = new AbortController();
  #isGone = false;

  /**
   * @param lost aborted once BullMQ sees that the job's lock is lost
   * @param stopping aborted when the process is to end
   */
  constructor(
    private readonly queues: Queues,
    private readonly job: RunJob,
    private readonly lost: AbortSignal,
    private readonly stopping: AbortSignal,
  ) {}

  /** Aborted once the run is somebody else's, or nobody's. */
  get signal(): AbortSignal {
    return AbortSignal.any([this.lost, this.#own.signal]);
  }

  get isClosed(): boolean {
    return this.lost.aborted || this.#own.signal.aborted;
  }

  /** The job's lock is somebody else's, or gone. */
  close(): void {
    this.#own.abort();
  }

  /** Whether the job went with the server that had taken it, or somebody took it away; not, where that can't be told. */
  async isGone(): Promise<boolean> {
    const { job, queues } = this;
    this.#isGone = (await queues.runs.getJob(String(job.id)).catch(() => job)) === undefined;
    return this.#isGone;
  }

  /** In ms; 0 when whoever goes on with the run notes its end, and once this process has left the queue. */
  readonly insistMs = (): number => {
    if ((this.isClosed && !this.#isGone) || this.queues.connection.status === 'end') return 0;
    return this.stopping.aborted ? LEAVE_MS : INSIST_MS;
  };
}
