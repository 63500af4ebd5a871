/** board: Bull Board over both queues, with the same rules for adding a run as everywhere else. */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Job } from 'bullmq';
import type { Express } from 'express';
import type { TargetConfig } from '../config/resolve.ts';
import { Failure, sentenceOf } from '../domain/failure.ts';
import { enqueue } from '../queue/enqueue.ts';
import { RUN_QUEUE } from '../queue/names.ts';
import { parsePayload, payloadJsonSchema, type RunData } from '../queue/payload.ts';
import type { Queues } from '../queue/queues.ts';

type Targets = ReadonlyMap<string, TargetConfig>;

/** A queue that can't be emptied from a browser: waiting runs can be removed one by one, history by age and count. */
class KeptQueue extends BullMQAdapter {
  override async empty(): Promise<void> {
    throw new Failure('DENIED', `the queue "${this.getName()}" can't be emptied here; remove single jobs instead`);
  }

  override async obliterate(): Promise<void> {
    throw new Failure('DENIED', `the queue "${this.getName()}" can't be obliterated here; remove single jobs instead`);
  }
}

/** The runs. Whatever name and options come with a new job, it is added (or joined) as every other run is. */
class RunQueue extends KeptQueue {
  constructor(
    private readonly runs: Queues['runs'],
    private readonly targets: Targets,
  ) {
    super(runs, {
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
}

/** The ticks: jobs that do nothing but ask for a scheduled run. */
class ScheduleQueue extends KeptQueue {
  constructor(schedule: Queues['schedule']) {
    super(schedule, {
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
const progressOf = (progress: unknown): unknown => {
  if (typeof progress !== 'object' || progress === null) return progress;
  const { carried: _, startedAt: __, percent, ...counts } = progress as Record<string, unknown>;
  return { progress: percent, ...counts };
};

/** A page with a stylesheet from a font server would ask it on each visit: it is taken out. */
const OUTSIDE_LINK = /<link\b[^>]*href="https?:[^>]*>\s*/g;

/** Bull Board's own adapter, but its page asks nobody outside. */
class OfflineAdapter extends ExpressAdapter {
  override setViewsPath(path: string): this {
    super.setViewsPath(path);
    const render = (this.app as unknown as { engines: Record<string, ViewEngine> }).engines['.ejs'];
    if (render === undefined) return this;
    this.app.engine('ejs', (file, options, done) => {
      render(file, options, (error, html) => done(error, html?.replace(OUTSIDE_LINK, '')));
    });
    return this;
  }
}
type ViewEngine = Parameters<Express['engine']>[1];

export interface BoardParts {
  readonly queues: Queues;
  readonly targets: Targets;
  /** How an error is answered. */
  readonly answerFor: (error: unknown) => { readonly status: number; readonly error: string };
}

/** Bull Board, to be mounted at `path`. What its handlers throw is answered as one sentence. */
export const createBoard = (path: string, { queues, targets, answerFor }: BoardParts): Express => {
  const server = new OfflineAdapter();
  server.setBasePath(path);
  createBullBoard({
    queues: [new RunQueue(queues.runs, targets), new ScheduleQueue(queues.schedule)],
    serverAdapter: server,
    options: {
      uiConfig: { boardTitle: 'stalesweep', hideDocsLink: true },
      handlerHooks: {
        // Changed data is checked like new data, before a worker has to refuse it.
        before: ({ route, request }) => {
          if (!route.endsWith('/update-data') || request.params.queueName !== RUN_QUEUE) return;
          try {
            parsePayload(request.body.jobData, targets);
          } catch (error) {
            return { allow: false, status: 400, message: sentenceOf(error) };
          }
        },
      },
    },
  });
  server.setErrorHandler((error) => {
    const { status, error: sentence } = answerFor(error);
    // Its type lists only the statuses that Bull Board uses itself.
    return { status: status as 400, body: { error: sentence } };
  });
  const board = server.getRouter() as Express;
  // An app within an app, with settings of its own.
  board.disable('x-powered-by');
  return board;
};
