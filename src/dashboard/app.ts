/** app: the dashboard's routes in one table, and what stands before and behind them.
 *
 *      page protection ─▶ path of the proxy off ─▶ own name ─▶ open routes ─▶ credentials ─▶
 *      read-only ─▶ own origin ─▶ other routes ─▶ 404 ─▶ errors
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import type { Config, TargetConfig } from '../config/resolve.ts';
import { Failure, sentenceOf } from '../domain/failure.ts';
import { readQueueState, warningsOf } from '../health/queueState.ts';
import { errorFields, type Logger } from '../log/logger.ts';
import type { Metrics } from '../metrics/registry.ts';
import type { Queues } from '../queue/queues.ts';
import { explainRefusal } from '../queue/refusal.ts';
import { askForCredentials, createJudge, credentialsOf, isLoopback, type Judge, requireCredentials } from './access.ts';
import { nothingAt } from '../pages/errorPage.tsx';
import { createPages } from '../pages/pages.ts';
import { createBoard } from './board.ts';
import { protectOwnPages, protectPages, refuseChanges, refuseOtherNames, refuseOthers } from './origin.ts';
import { answerHealth, answerReadiness, createReadiness, inTime, Links } from './readiness.ts';
import { answerOwnScrape, answerScrape } from './scrape.ts';

export interface DashboardParts {
  readonly config: Config;
  readonly queues: Queues;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** An app to serve, and what it holds open; the queues stay the caller's to close. */
export interface Dashboard {
  readonly app: Express;
  close(): Promise<void>;
}

const BOARD = '/queues';

/** What a GET of `path` is answered with, or, for Bull Board and our own pages, everything under it. */
interface Route {
  readonly path: string;
  readonly answer: RequestHandler;
  /** Needs no credentials: a probe has none. */
  readonly open?: true;
  /** Has routes of its own. */
  readonly mounted?: true;
}

function statusOf(error: unknown): number {
  if (error instanceof Failure) {
    return error.code === 'UNREACHABLE' ? 503 : error.code === 'DENIED' ? 403 : 400;
  }
  if (error instanceof URIError) return 400;
  const status = Number((error as { status?: unknown } | null)?.status);
  return status >= 400 && status < 500 ? status : 500;
}

/** Makes one sentence of any error. What nobody expected is logged, and not told. */
function answerWith(logger: Logger) {
  return (thrown: unknown): { status: number; error: string } => {
    // What the queue's Redis said: whatever a target says is explained where it is asked.
    const error = thrown instanceof Error && thrown.name === 'ReplyError' ? explainRefusal(thrown) : thrown;
    const status = statusOf(error);
    if (status >= 500) logger.error(errorFields(logger, error), 'a request failed');
    return { status, error: status === 500 ? 'something went wrong; the log says what' : sentenceOf(error) };
  };
}

const answerNothing: RequestHandler = (request, response) => {
  response.status(404).json({ error: nothingAt(request) });
};

function answerError(answerFor: ReturnType<typeof answerWith>): ErrorRequestHandler {
  return (thrown, _request, response, next) => {
    if (response.headersSent) return next(thrown);
    const { status, error } = answerFor(thrown);
    response.status(status).json({ error });
  };
}

/** Takes the path off under which a proxy shows us, unless the proxy has. */
function takeOff(basePath: string): RequestHandler {
  return (request, _response, next) => {
    const rest = request.url.startsWith(basePath) ? request.url.slice(basePath.length) : '-';
    if (rest === '' || rest.startsWith('/') || rest.startsWith('?'))
      request.url = rest.startsWith('/') ? rest : `/${rest}`;
    next();
  };
}

/** Whether a request may know addresses: it comes with the credentials, or from this machine where none are asked for. */
function createMayKnow(config: Config, judge: Judge | null) {
  return async (request: Request, response: Response): Promise<boolean> =>
    judge === null ? isLoopback(config.process.host) : (await judge(request, response)) === 'right';
}

function assemble(config: Config, logger: Logger, judge: Judge | null, routes: readonly Route[]): Express {
  const app = express();
  const add = ({ path, answer, mounted }: Route) => (mounted ? app.use(path, answer) : app.get(path, answer));
  app.disable('x-powered-by');
  if (config.process.trustProxy.length > 0) app.set('trust proxy', config.process.trustProxy);
  app.use(protectPages);
  if (config.process.basePath !== undefined) app.use(takeOff(config.process.basePath));
  if (judge === null && isLoopback(config.process.host)) app.use(refuseOtherNames);
  for (const route of routes) if (route.open) add(route);
  if (judge !== null) app.use(askForCredentials(judge));
  if (config.process.readOnly) app.use(refuseChanges);
  app.use(refuseOthers);
  for (const route of routes) if (!route.open) add(route);
  app.use(answerNothing);
  app.use(answerError(answerWith(logger)));
  return app;
}

function judgeFor({ process }: Config): Judge | null {
  const credentials = credentialsOf(process);
  return credentials && createJudge(credentials, process.basePath ?? '');
}

/** Our own pages, Bull Board, metrics of the whole fleet, health. Fails (`CONFIG`) when others could use it without credentials. */
export function createDashboard({ config, queues, metrics, logger }: DashboardParts): Dashboard {
  requireCredentials(config.process.host, credentialsOf(config.process));
  const { targets } = config;
  const pages = `${config.process.basePath ?? ''}${BOARD}`;
  const links = new Links();
  const readiness = createReadiness(queues, targets, links);
  const warnings = async () => warningsOf(await readQueueState(queues, config.targets));
  const judge = judgeFor(config);
  const own = express.Router();
  const ask = async (target: TargetConfig) => await links.ask(target);
  const askQueue = async () => await inTime(queues.connection.time());
  const { router, gate, boardScript } = createPages({ config, queues, ask, askQueue, answerFor: answerWith(logger) });
  own.use(protectOwnPages, router);
  const board = express.Router();
  board.use(gate, createBoard(pages, { config, queues, answerFor: answerWith(logger), script: boardScript }));
  const app = assemble(config, logger, judge, [
    { path: '/healthz', answer: answerHealth, open: true },
    { path: '/readyz', answer: answerReadiness(readiness, warnings, createMayKnow(config, judge)), open: true },
    { path: '/metrics', answer: answerScrape({ metrics, targets, queues, links }) },
    { path: BOARD, answer: board, mounted: true },
    { path: '/', answer: own, mounted: true },
  ]);
  return { app, close: () => links.close() };
}

/** What a worker serves: its own metrics, and health. Nothing can be changed there, so credentials are asked for only
 * when they are set. */
export function createMonitor({ config, queues, metrics, logger }: DashboardParts): Dashboard {
  const links = new Links();
  const readiness = createReadiness(queues, config.targets, links);
  const warnings = async () => warningsOf(await readQueueState(queues, config.targets));
  const judge = judgeFor(config);
  const app = assemble(config, logger, judge, [
    { path: '/healthz', answer: answerHealth, open: true },
    { path: '/readyz', answer: answerReadiness(readiness, warnings, createMayKnow(config, judge)), open: true },
    { path: '/metrics', answer: answerOwnScrape(metrics) },
  ]);
  return { app, close: () => links.close() };
}

/** An app that is being served. */
export interface Served {
  readonly url: string;
  readonly port: number;
  /** Ends it at once: no request here is worth waiting for. */
  close(): Promise<void>;
}

const LISTEN_FAILURES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use; choose another',
  EACCES: 'may not be used by this user; choose one above 1023',
};

/** What of the address is wrong, where it is not the port. */
const HOST_FAILURES: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'it is no address of this machine',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name is not known',
};

/** Serves an app; port 0 takes a free one. Fails (`LISTEN`) with a sentence that names the `setting` to change. */
export async function serve(app: Express, host: string, port: number, setting = 'STALESWEEP_PORT'): Promise<Served> {
  const server = createServer(app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const known = LISTEN_FAILURES[error.code ?? ''];
      const sentence = known
        ? `${setting}: port ${port} ${known}`
        : `STALESWEEP_HOST: can't listen on "${host}": ${HOST_FAILURES[error.code ?? ''] ?? error.message}`;
      reject(new Failure('LISTEN', sentence, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    port: address.port,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
