/** pages: our own pages in one table, and what stands before and behind them. README.md says how to add one.
 *
 *      assets ─▶ forms are read ─▶ pages ─▶ (nothing of ours: for a browser a page, else whoever mounted us goes on) ─▶ errors as a page
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import express, { type ErrorRequestHandler, type RequestHandler, Router } from 'express';
import { Ledger } from '../ledger/ledger.ts';
import { serveAssets } from './assets.ts';
import { nothingAt, sendError } from './errorPage.tsx';
import { createGate, insistOn } from './gate.ts';
import { overviewRoutes } from './overview/routes.tsx';
import { type AskTarget, Reach } from '../status/reach.ts';
import type { PageParts, PageRoute } from './route.ts';
import { runsRoutes } from './runs/routes.tsx';
import { runRoutes } from './run/routes.tsx';
import type { Site } from './site.ts';

export interface PagesParts extends Pick<PageParts, 'config' | 'queues'> {
  /** Asks a target; settles within seconds. */
  readonly ask: AskTarget;
  /** Asks the queue for anything; settles within seconds. */
  readonly askQueue: () => Promise<unknown>;
  /** How an error is answered. */
  readonly answerFor: (error: unknown) => { readonly status: number; readonly error: string };
}

/** More than any form of ours sends. */
const MOST_FORM_BYTES = 8_192;

function versionOf(): string {
  const file = createRequire(import.meta.url).resolve('#root/package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

export interface Pages {
  /** All of them, to be mounted at `/`. */
  readonly router: Router;
  /** What is to stand before pages of others that need the queue. */
  readonly gate: RequestHandler;
  /** Where the script is that pages of Bull Board need besides. */
  readonly boardScript: string;
}

/** Makes them. Throws when a file of the pages can't be read. */
export function createPages({ config, queues, ask, askQueue, answerFor }: PagesParts): Pages {
  const assets = serveAssets();
  const { basePath = '', readOnly } = config.process;
  const site: Site = { basePath, readOnly, version: versionOf(), assets: assets.paths };
  const ledger = new Ledger(queues.connection, queues.prefix, config.process.ledger);
  const parts: PageParts = { site, config, queues, ledger, reach: new Reach(config.targets, ask) };
  const router = Router();
  router.use(assets.router);
  const readForm = express.urlencoded({ extended: false, limit: MOST_FORM_BYTES });
  const ofOverview = overviewRoutes(parts);
  // The overview shows what was known last; these have nothing to show, or to do.
  const needsQueue = ofOverview.filter(({ method }) => method === 'post');
  const ofLedger = [...needsQueue, ...runsRoutes(parts), ...runRoutes(parts)].map((route): PageRoute => {
    const answer: PageRoute['answer'] = async (request, response) => {
      await insistOn(askQueue);
      await route.answer(request, response);
    };
    return { ...route, answer };
  });
  for (const { method, path, answer } of [...ofOverview.filter((route) => !needsQueue.includes(route)), ...ofLedger]) {
    if (method === 'get') router.get(path, answer);
    else router.post(path, readForm, answer);
  }
  const answerError: ErrorRequestHandler = (thrown, request, response, next) => {
    if (response.headersSent) next(thrown);
    else sendError(site, request, response, answerFor(thrown));
  };
  router.use((request, response, next) => {
    // Scripts and probes are answered by whoever mounted us.
    if (request.accepts(['json', 'html']) !== 'html') next();
    else sendError(site, request, response, { status: 404, error: nothingAt(request) });
  });
  router.use(answerError);
  return { router, gate: createGate(site, askQueue, answerFor), boardScript: `${basePath}${assets.paths['board.js']}` };
}
