/** board: Bull Board over both queues, with the same rules for adding a run as everywhere else. */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Job } from 'bullmq';
import express, { type Express } from 'express';
import type { Config } from '../config/resolve.ts';
import { Failure } from '../domain/failure.ts';
import { enqueue } from '../queue/runs/enqueue.ts';
import { RUN_QUEUE, SCHEDULE_QUEUE } from '../queue/names.ts';
import { payloadJsonSchema, type RunData } from '../queue/runs/payload.ts';
import type { Queues } from '../queue/queues.ts';
import { refusalOf } from './edits.ts';

type Rights = Pick<Config['process'], 'readOnly' | 'dangerousActions'>;
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
class RunQueue extends KeptQueue {
  constructor(
    private readonly runs: Queues['runs'],
    private readonly targets: Config['targets'],
    rights: Rights,
  ) {
    super(runs, rights, {
      displayName: 'cleanup runs',
      description: 'One job is one run: it finds stale coordinators of a target and removes their keys.',
      jobDataSchema: payloadJsonSchema(targets),
    });
    this.setFormatter('progress', progressOf);
  }

  override async addJob(_name: string, data: unknown): Promise<Job> {
    const { run } = await enqueue(this.runs, this.targets, data as RunData);
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
    await enqueue(this.runs, this.targets, { ...asked, trigger: 'manual' });
  }
}

/** The ticks: jobs that do nothing but ask for a scheduled run. */
class ScheduleQueue extends KeptQueue {
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

/** A page with a stylesheet from a font server would ask it on each visit: it is taken out. */
const OUTSIDE_LINK = /<link\b[^>]*href="https?:[^>]*>\s*/g;

/** Bull Board has no switch for these: Obliterate and, above it, Empty in a queue's menu; "Clean all" among the delayed. */
const HIDE_DANGEROUS = `<style>
[role=menuitem][class*="danger-"], [role=menuitem]:has(+ [class*="danger-"]),
[class*="stickyHeader-"]:has(a[aria-current][href*="status=delayed"]) [class*="queueActions-"] > :last-child { display: none }
</style>`;

/** Nor for Edit and Remove beside a schedule's "run now": both are refused, since schedules come from the configuration. */
const HIDE_SCHEDULE_CHANGES = '<style>td[class*="actionsCell-"] > button:not(:first-child) { display: none }</style>';

/** What its pages say while the queue does not answer: `src/pages/assets/board.js`. */
const AWAY = `<style>
#stalesweep-away { position: fixed; inset: 0 0 auto; z-index: 9999; padding: 0.7rem 1.2rem; color: #fff; background: #8f1d18 }
#stalesweep-away a { color: inherit; text-decoration: underline }
#root[inert] { opacity: 0.6 }
</style>`;

/** Bull Board's own adapter, but its page asks nobody outside, and offers no more than is allowed. */
class OfflineAdapter extends ExpressAdapter {
  constructor(
    private readonly dangerous: boolean,
    private readonly script: string,
  ) {
    super();
  }

  override setViewsPath(path: string): this {
    super.setViewsPath(path);
    const render = (this.app as unknown as { engines: Record<string, ViewEngine> }).engines['.ejs'];
    if (render === undefined) return this;
    this.app.engine('ejs', (file, options, done) => {
      render(file, options, (error, html) => done(error, html && this.#adapt(html)));
    });
    return this;
  }

  #adapt(html: string): string {
    const page = html.replace(OUTSIDE_LINK, '');
    const hidden = `${HIDE_SCHEDULE_CHANGES}${this.dangerous ? '' : HIDE_DANGEROUS}`;
    return page.replace('</head>', () => `${hidden}${AWAY}${this.script}</head>`);
  }
}
type ViewEngine = Parameters<Express['engine']>[1];

/** Editing or removing a schedule: a worker would put it back a moment later. */
const SCHEDULE_CHANGES = /\/job-schedulers\/:schedulerId(\/remove)?$/;

export interface BoardParts {
  readonly config: Config;
  readonly queues: Queues;
  /** How an error is answered. */
  readonly answerFor: (error: unknown) => { readonly status: number; readonly error: string };
  /** Where the script is that says on its pages what it does not. */
  readonly script: string;
}

/** Bull Board, which browsers see at `path`. What its handlers throw is answered as one sentence. */
export function createBoard(path: string, { config, queues, answerFor, script }: BoardParts): Express {
  const { targets, process: rights } = config;
  const runQueue = new RunQueue(queues.runs, targets, rights);
  const home = `${rights.basePath ?? ''}/`;
  const server = new OfflineAdapter(
    rights.dangerousActions,
    `<script defer src="${script}" data-home="${home}"></script>`,
  );
  server.setBasePath(path);
  createBullBoard({
    queues: [runQueue, new ScheduleQueue(queues.schedule, rights)],
    serverAdapter: server,
    options: {
      uiConfig: { boardTitle: 'stalesweep', hideDocsLink: true },
      handlerHooks: {
        before: async ({ route, request }) => {
          const { queueName, jobId } = request.params;
          if (SCHEDULE_CHANGES.test(route) && queueName === SCHEDULE_QUEUE) {
            const message = 'schedules come from the configuration; change them there';
            return { allow: false, status: 403, message };
          }
          if (queueName !== RUN_QUEUE) return;
          return await refusalOf(queues, targets, { route, run: String(jobId), body: request.body });
        },
      },
    },
  });
  server.setErrorHandler((error) => {
    const { status, error: sentence } = answerFor(error);
    // Its type lists only the statuses that Bull Board uses itself.
    return { status: status as 400, body: { error: sentence } };
  });
  const board = express();
  // Bull Board would go on page by page until nothing is left to retry; here it all stays.
  board.put(`/api/queues/${RUN_QUEUE}/retry/:state`, async (request, response) => {
    const { state } = request.params;
    if (state !== 'completed' && state !== 'failed') {
      throw new Failure('USAGE', 'only completed and failed runs can be retried');
    }
    response.json(await runQueue.retryAll(state));
  });
  board.use(server.getRouter() as Express);
  // Apps within an app, with settings of their own.
  for (const app of [board, server.getRouter() as Express]) app.disable('x-powered-by');
  return board;
}
