/** route: what a page of ours is, and what it is given. */
import type { Request, Response } from 'express';
import type { Config } from '../config/resolve.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Queues } from '../queue/queues.ts';
import type { Reach } from '../status/reach.ts';
import type { Site } from './site.ts';

/** What every page may need. */
export interface PageParts {
  readonly site: Site;
  readonly config: Config;
  readonly queues: Queues;
  readonly ledger: Ledger;
  /** Which targets do not answer, or take no writes. */
  readonly reach: Reach;
}

/** A page, or what a form of one does. What it throws is shown as a page with one sentence. */
export interface PageRoute {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly answer: (request: Request, response: Response) => void | Promise<void>;
}
