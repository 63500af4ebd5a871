/** board: Bull Board's pages over both queues, without what asks elsewhere, is not allowed, or would change what is over. */
import { createBullBoard } from '@bull-board/api';
import { ExpressAdapter } from '@bull-board/express';
import express, { type Express } from 'express';
import type { Config } from '../config/resolve.ts';
import { Failure } from '../domain/failure.ts';
import { RUN_QUEUE, SCHEDULE_QUEUE } from '../queue/names.ts';
import type { Queues } from '../queue/queues.ts';
import { RunQueue, ScheduleQueue } from './boardQueues.ts';
import { refusalOf } from './edits.ts';

/** A page with a stylesheet from a font server would ask it on each visit: it is taken out. */
const OUTSIDE_LINK = /<link\b[^>]*href="https?:[^>]*>\s*/g;

/** Bull Board has no switch for these: Obliterate and, above it, Empty in a queue's menu; "Clean all" among the delayed. */
const HIDE_DANGEROUS = `<style>
[role=menuitem][class*="danger-"], [role=menuitem]:has(+ [class*="danger-"]),
[class*="stickyHeader-"]:has(a[aria-current][href*="status=delayed"]) [class*="queueActions-"] > :last-child { display: none }
</style>`;

/** Nor for Edit and Remove beside a schedule's "run now": both are refused, since schedules come from the configuration. */
const HIDE_SCHEDULE_CHANGES = '<style>td[class*="actionsCell-"] > button:not(:first-child) { display: none }</style>';

/** The way back to our own pages, which it has none of: the first that a key comes to, and there while it loads or the queue is away. */
const HOME = `<style>
#stalesweep-home { position: fixed; inset: auto auto 2.75rem 0.75rem; z-index: 100; padding: 0.35rem 0.8rem; border-radius: 6px;
  font: 0.9rem/1.4 system-ui, sans-serif; color: #fff; background: #0f6b64; text-decoration: none }
#stalesweep-home:focus-visible { outline: 2px solid #fff; box-shadow: 0 0 0 4px #0f6b64 }
</style>`;

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
    private readonly home: string,
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
    const back = `<a id="stalesweep-home" href="${this.home}">← Overview</a>`;
    return page
      .replace('</head>', () => `${hidden}${HOME}${AWAY}${this.script}</head>`)
      .replace('<div id="root">', (root) => `${back}${root}`);
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
    home,
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
