/** restore: gives back what a run took, or one coordinator of it: first a page that asks, with numbers, then the deed.
 *
 *      GET  …/restore          asks; where counting takes longer than anybody looks at nothing, with the numbers still to come
 *      GET  …/restore/count    those numbers, as a part of that page
 *      POST …/restore          gives back
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Request, Response } from 'express';
import type { TargetConfig } from '../../config/resolve.ts';
import { Failure } from '../../domain/failure.ts';
import { bytesOf } from '../../domain/nameText.ts';
import type { PastRun } from '../../ledger/runs/pastRun.ts';
import { restorableUntilMs } from '../../ledger/swept/restorable.ts';
import { restore, type Wanted } from '../../restore/restore.ts';
import { amount, amountOf } from '../parts/amounts.ts';
import { sendError } from '../errorPage.tsx';
import { Message } from '../parts/message.tsx';
import { renderPart, sendPage } from '../page.tsx';
import type { PageParts, PageRoute } from '../route.ts';
import { pathToRun } from '../paths.ts';
import { numberIn, textIn } from '../runs/query.ts';
import { Ask, ASKED, Asking, type Counted, Counting, WithoutScript } from './restoreAsk.tsx';
import { runIn } from './runIn.ts';
import { sendUnserved, type Unserved, UnservedPart } from './unserved.tsx';

/** So long the page waits for its numbers, in ms; then it goes without them. */
const PATIENCE_MS = 150;

export function restoreRoutes(parts: PageParts): readonly PageRoute[] {
  if (parts.site.readOnly) return [{ method: 'get', path: '/runs/:run/restore', answer: refuse }];
  return [
    { method: 'get', path: '/runs/:run/restore', answer: async (...both) => await ask(parts, ...both) },
    { method: 'get', path: '/runs/:run/restore/count', answer: async (...both) => await sendCount(parts, ...both) },
    { method: 'post', path: '/runs/:run/restore', answer: async (...both) => await giveBack(parts, ...both) },
  ];
}

function refuse(): Promise<void> {
  throw new Failure(
    'DENIED',
    'this dashboard is read-only (STALESWEEP_READ_ONLY): what was swept is given back elsewhere',
  );
}

interface Meant {
  readonly run: PastRun;
  readonly target: TargetConfig;
  readonly what: Wanted;
  /** `null`: everything of the run. */
  readonly id: string | null;
}

/** What an address means; where that can't be given back, that is answered, and it is `null`. */
async function meant(parts: PageParts, request: Request, response: Response): Promise<Meant | null> {
  const run = await runIn(parts, request, response);
  if (run === null) return null;
  const target = parts.config.targets.get(run.target);
  const until = restorableUntilMs(run);
  const id = textIn(request, 'id') ?? null;
  const refuse = (error: string) => sendError(parts.site, request, response, { status: 409, error });
  if (target === undefined) refuse(`no target "${run.target}" is configured here`);
  else if (run.state !== 'ended') refuse('the run is still under way');
  else if (until === null || until <= Date.now()) refuse('what it took is not in the trash any more');
  else return { run, target, id, what: { run: run.run, ...(id === null ? {} : { coordinator: bytesOf(id) }) } };
  return null;
}

async function ask(parts: PageParts, request: Request, response: Response): Promise<void> {
  const { site } = parts;
  const asked = await meant(parts, request, response);
  if (asked === null) return;
  const isWaitedFor = textIn(request, 'counted') !== undefined;
  const told = await servedOr(parts, asked, false, async () => {
    const left = leaving(response);
    const counted = count(parts, asked, left.signal);
    if (isWaitedFor) return await counted;
    const first = await Promise.race([counted, pause(PATIENCE_MS, null)]);
    // It is asked for again by the page, and what is asked for is wanted by nobody else.
    if (first === null) left.abort();
    counted.catch(() => {});
    return first;
  });
  if ('why' in told) {
    sendUnserved(site, request, response, told);
    return;
  }
  const page = { ...asked, now: Date.now() };
  const { done } = told;
  const children = <Asking {...page}>{done === null ? <Counting {...page} /> : <Ask {...page} {...done} />}</Asking>;
  const head = done === null ? <WithoutScript {...asked} /> : null;
  sendPage(site, request, response, { title: 'Give back', here: '/runs', head, children });
}

/** The numbers, as a part of the page that asks. */
async function sendCount(parts: PageParts, request: Request, response: Response): Promise<void> {
  const asked = await meant(parts, request, response);
  if (asked === null) return;
  const { signal } = leaving(response);
  const told = await servedOr(parts, asked, false, async () => await count(parts, asked, signal)).catch((error) => {
    if (!signal.aborted) throw error;
    return null;
  });
  if (told === null) return;
  const page = { ...asked, now: Date.now() };
  const part = 'why' in told ? <UnservedPart {...told} /> : <Ask {...page} {...told.done} />;
  response.set('Cache-Control', 'no-store').json({ id: ASKED, html: renderPart(parts.site, part) });
}

/** Aborts once whoever asked has left. */
function leaving(response: Response): AbortController {
  const left = new AbortController();
  response.once('close', () => left.abort());
  return left;
}

async function count({ ledger }: PageParts, { target, what }: Meant, signal: AbortSignal): Promise<Counted> {
  const said: string[] = [];
  const warn = (sentence: string) => void said.push(sentence);
  const would = await restore(target, what, { dryRun: true, heartbeats: true, ledger, signal, warn });
  return { would, said };
}

async function giveBack(parts: PageParts, request: Request, response: Response): Promise<void> {
  const asked = await meant(parts, request, response);
  if (asked === null) return;
  const { heartbeats } = (request.body ?? {}) as { heartbeats?: unknown };
  const told = await servedOr(parts, asked, true, async () => {
    return await restore(asked.target, asked.what, {
      heartbeats: heartbeats === 'yes',
      ledger: parts.ledger,
      by: parts.config.process.dashboardUser ?? null,
    });
  });
  if ('why' in told) {
    sendUnserved(parts.site, request, response, told);
    return;
  }
  const { restored, existing, expired } = told.done;
  const { run, target, atMs } = asked.run;
  const counts = { restored, existing: existing.length, expired };
  response.redirect(303, `${parts.site.basePath}${pathToRun(run, { target, at: atMs, ...counts })}`);
}

/** What the target says; where it does not answer, or does not give back, what is known. @param gives whether it is to give back */
async function servedOr<T>(
  { reach }: PageParts,
  { run, id, target }: Meant,
  gives: boolean,
  act: () => Promise<T>,
): Promise<{ readonly done: T } | Unserved> {
  let begun = false;
  try {
    await reach.insistOn(target);
    begun = gives;
    return { done: await act() };
  } catch (error) {
    if (!(error instanceof Failure) || !['UNREACHABLE', 'DENIED'].includes(error.code)) throw error;
    if (error.code === 'DENIED' && !begun) throw error;
    return { run, id, why: error.message, begun };
  }
}

/** What came of giving back, by the numbers in the address. */
export function cameBack(request: Request) {
  const [restored, existing = 0, expired = 0] = ['restored', 'existing', 'expired'].map((name) =>
    numberIn(request, name),
  );
  if (restored === undefined) return undefined;
  return (
    <Message kind="done" word="Given back">
      {amountOf(restored, 'key')} came back.
      {existing > 0 &&
        ` ${amount(existing)} ${existing === 1 ? 'was there again and stays as it is' : 'were there again and stay as they are'}.`}
      {expired > 0 && ` ${amount(expired)} had expired.`}
    </Message>
  );
}
