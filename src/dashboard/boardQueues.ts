/** boardQueues: both queues as Bull Board sees them: what may be added, removed and asked for anew there, and that what is over is final. */
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { Job } from 'bullmq';
import type { Config } from '../config/resolve.ts';
import { Failure } from '../domain/failure.ts';
import { RUN_QUEUE } from '../queue/names.ts';
import type { Queues } from '../queue/queues.ts';
import { type Enqueued, enqueue } from '../queue/runs/enqueue.ts';
import { payloadJsonSchema, type RunData } from '../queue/runs/payload.ts';

type Rights = Pick<Config['process'], 'readOnly' | 'dangerousActions' | 'dashboardUser'>;
type AdapterOptions = ConstructorParameters<typeof BullMQAdapter>[1];
type Removal = Parameters<BullMQAdapter['clean']>[0];

/** All jobs in these states may go at once: they are over. */
const PAST: readonly string[] = ['completed', 'failed'];
/** What more can be removed where dangerous actions are switched on; BullMQ's words for it beside Bull Board's. */
const PENDING: Readonly<Record<string, string>> = {
  wait: 'wait',
  waiting: 'wait',
  delayed: 'delayed',
  prioritized: 'prioritized',
};

/** As many finished runs as the history keeps. */
const MOST_RETRIED = 10_000;

/** A queue that loses what has not been done yet only where that is switched on; otherwise jobs go one by one. */
class KeptQueue extends BullMQAdapter {
  readonly #dangerous: boolean;

  constructor(queue: Queues['runs'] | Queues['schedule'], rights: Rights, options: AdapterOptions) {
    super(queue, { ...options, readOnlyMode: rights.readOnly });
    this.#dangerous = rights.dangerousActions;
  }

  override async empty(): Promise<void> {
    this.#allow('emptied');
    await super.empty();
  }

  override async obliterate(options?: { force?: boolean }): Promise<void> {
    this.#allow('obliterated');
    await super.obliterate(options);
  }

  override async clean(state: Removal, graceMs: number): Promise<void> {
    if (PAST.includes(state)) return await super.clean(state, graceMs);
    const removed = Object.hasOwn(PENDING, state) ? PENDING[state] : undefined;
    if (removed === undefined)
      throw new Failure('USAGE', 'only completed, failed, waiting and delayed jobs can be removed');
    this.#allow(`rid of all ${state} jobs at once`);
    await super.clean(removed as Removal, graceMs);
  }

  #allow(what: string): void {
    if (this.#dangerous) return;
    const sentence = `the queue "${this.getName()}" can't be ${what} here; remove single jobs, or set STALESWEEP_DANGEROUS_ACTIONS`;
    throw new Failure('DENIED', sentence);
  }
}

/** The runs. Whatever name and options come with a new job, it is added (or joined) as every other run is. */
export class RunQueue extends KeptQueue {
  constructor(
    private readonly runs: Queues['runs'],
    private readonly targets: Config['targets'],
    private readonly rights: Rights,
  ) {
    super(runs, rights, {
      displayName: 'cleanup runs',
      description: 'One job is one run: it finds stale coordinators of a target and removes their keys.',
      jobDataSchema: payloadJsonSchema(targets),
    });
    this.setFormatter('progress', progressOf);
  }

  override async addJob(_name: string, data: unknown): Promise<Job> {
    const { run } = await this.#ask(data as RunData);
    const job = await this.runs.getJob(run);
    if (job === undefined) throw new Failure('RUN_FAILED', `run ${run} has already left the history`);
    return job;
  }

  override async getJob(id: string): Promise<Job | undefined> {
    const job = await super.getJob(id);
    return job && this.#final(job);
  }

  override async getJobs(...asked: Parameters<BullMQAdapter['getJobs']>): Promise<Job[]> {
    return (await super.getJobs(...asked)).map((job) => this.#final(job));
  }

  /** Asks for new runs instead of all that ended so, one a target, as its newest was asked for. Says how many jobs that is. */
  async retryAll(state: 'completed' | 'failed'): Promise<{ readonly retried: number; readonly skipped: number }> {
    const jobs = await super.getJobs([state], 0, MOST_RETRIED - 1);
    const wanted = new Map<unknown, Job>();
    for (const job of jobs) if (!wanted.has(job.data?.target)) wanted.set(job.data?.target, job);
    const asked = new Set<unknown>();
    for (const [target, job] of wanted) {
      const isAsked = await this.#askAnew(job).then(
        () => true,
        (error: unknown) => {
          if (error instanceof Failure && error.code === 'JOB_DATA') return false;
          throw error;
        },
      );
      if (isAsked) asked.add(target);
    }
    const retried = jobs.filter(({ data }) => asked.has(data?.target)).length;
    return { retried, skipped: jobs.length - retried };
  }

  /** A finished run stays as it is: to retry it is to ask for a new one. */
  #final(job: Job): Job {
    job.retry = async () => await this.#askAnew(job);
    return job;
  }

  async #askAnew({ data }: Job): Promise<void> {
    const { fingerprint: _, ...asked } = (data ?? {}) as RunData;
    await this.#ask({ ...asked, trigger: 'manual' });
  }

  async #ask(data: RunData): Promise<Enqueued> {
    return await enqueue(this.runs, this.targets, data, this.rights.dashboardUser ?? null);
  }
}

/** The ticks: jobs that do nothing but ask for a scheduled run. */
export class ScheduleQueue extends KeptQueue {
  constructor(schedule: Queues['schedule'], rights: Rights) {
    super(schedule, rights, {
      displayName: 'schedule ticks',
      description: 'One job is one tick: it asks for the scheduled run of a target, or joins the one in progress.',
    });
  }

  override async addJob(): Promise<Job> {
    const sentence = `ticks come from the schedules; add a run to the queue "${RUN_QUEUE}", or run a schedule now`;
    throw new Failure('DENIED', sentence);
  }
}

/** A number under `progress` is drawn as a ring, and the rest is shown beside it. What the next attempt goes on from is
 * no news to people. */
function progressOf(progress: unknown): unknown {
  if (typeof progress !== 'object' || progress === null) return progress;
  const { carried: _, startedAt: __, sealed: ___, percent, ...counts } = progress as Record<string, unknown>;
  return { progress: percent, ...counts };
}
