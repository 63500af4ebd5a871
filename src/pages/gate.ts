/** gate: what stands before all that needs the queue: within seconds it says that the queue does not answer, instead of waiting for it. */
import type { RequestHandler } from 'express';
import { Failure, sentenceOf } from '../domain/failure.ts';
import { explainRefusal } from '../queue/refusal.ts';
import { isRefusal } from '../redis/rights/refusals.ts';
import { sendError } from './errorPage.tsx';
import type { Site } from './site.ts';

/** Fails (`UNREACHABLE`) within seconds where the queue says nothing. */
export async function insistOn(askQueue: () => Promise<unknown>): Promise<void> {
  try {
    await askQueue();
  } catch (error) {
    // It answers, though it does not tell this user the time.
    if (isRefusal(error)) return;
    throw new Failure('UNREACHABLE', `the queue does not answer: ${sentenceOf(explainRefusal(error))}`, {
      cause: error,
    });
  }
}

/** Files of pages that others wrote: nothing of the queue. */
const FILES = /^\/static\//;
/** What their scripts ask for. */
const DATA = /^\/api\//;

/** The gate for pages that others wrote: to a script it answers in JSON, to a browser with a page of ours. */
export function createGate(
  site: Site,
  askQueue: () => Promise<unknown>,
  answerFor: (error: unknown) => { readonly status: number; readonly error: string },
): RequestHandler {
  return async (request, response, next) => {
    try {
      if (!FILES.test(request.path)) await insistOn(askQueue);
    } catch (thrown) {
      const answer = answerFor(thrown);
      if (DATA.test(request.path)) response.status(answer.status).json({ error: answer.error });
      else sendError(site, request, response, answer);
      return;
    }
    next();
  };
}
