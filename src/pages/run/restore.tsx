/** restore: gives back what a run took, or one coordinator of it: first a page that asks, with numbers, then the deed. */
import type { Request, Response } from 'express';
import type { TargetConfig } from '../../config/resolve.ts';
import { Failure } from '../../domain/failure.ts';
import { bytesOf } from '../../domain/nameText.ts';
import type { PastRun } from '../../ledger/runs/pastRun.ts';
import { restorableUntilMs } from '../../ledger/swept/restorable.ts';
import { type Restored, restore, type Wanted } from '../../restore/restore.ts';
import { amount, amountOf } from '../parts/amounts.ts';
import { sendError } from '../errorPage.tsx';
import { Message } from '../parts/message.tsx';
import { sendPage } from '../page.tsx';
import type { PageParts, PageRoute } from '../route.ts';
import { pathToRun, restorePath, runPath } from '../paths.ts';
import { numberIn, textIn } from '../runs/query.ts';
import { usePath } from '../site.ts';
import { Time } from '../parts/time.tsx';
import { RestoreTitle } from './restoreTitle.tsx';
import { runIn } from './runIn.ts';
import { sendUnserved } from './unserved.tsx';

const NAMES_SHOWN = 10;

export function restoreRoutes(parts: PageParts): readonly PageRoute[] {
  if (parts.site.readOnly) return [{ method: 'get', path: '/runs/:run/restore', answer: refuse }];
  return [
    { method: 'get', path: '/runs/:run/restore', answer: async (...both) => await ask(parts, ...both) },
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
  const asked = await meant(parts, request, response);
  if (asked === null) return;
  const said: string[] = [];
  const warn = (sentence: string) => void said.push(sentence);
  const would = await orUnserved(parts, request, response, asked, async () => {
    return await restore(asked.target, asked.what, { dryRun: true, heartbeats: true, ledger: parts.ledger, warn });
  });
  if (would === null) return;
  const children = <Ask {...asked} would={would} said={said} now={Date.now()} />;
  sendPage(parts.site, request, response, { title: 'Give back', here: '/runs', children });
}

async function giveBack(parts: PageParts, request: Request, response: Response): Promise<void> {
  const asked = await meant(parts, request, response);
  if (asked === null) return;
  const { heartbeats } = (request.body ?? {}) as { heartbeats?: unknown };
  const done = await orUnserved(parts, request, response, asked, async () => {
    return await restore(asked.target, asked.what, {
      heartbeats: heartbeats === 'yes',
      ledger: parts.ledger,
      by: parts.config.process.dashboardUser ?? null,
    });
  });
  if (done === null) return;
  const { restored, existing, expired } = done;
  const { run, target, atMs } = asked.run;
  const counts = { restored, existing: existing.length, expired };
  response.redirect(303, `${parts.site.basePath}${pathToRun(run, { target, at: atMs, ...counts })}`);
}

/** What the target says; where it does not answer, that is answered with what is known, and it is `null`. */
async function orUnserved(
  { site, reach }: PageParts,
  request: Request,
  response: Response,
  { run, id, target }: Meant,
  act: () => Promise<Restored>,
): Promise<Restored | null> {
  let begun = false;
  try {
    await reach.insistOn(target);
    begun = request.method === 'POST';
    return await act();
  } catch (error) {
    if (!(error instanceof Failure) || !['UNREACHABLE', 'DENIED'].includes(error.code)) throw error;
    if (error.code === 'DENIED' && !begun) throw error;
    sendUnserved(site, request, response, { run, id, why: error.message, begun });
    return null;
  }
}

interface AskProps extends Pick<Meant, 'run' | 'id'> {
  readonly would: Restored;
  /** What an operator should know of it besides. */
  readonly said: readonly string[];
  readonly now: number;
}

function Ask({ run, id, would, said, now }: AskProps) {
  const to = usePath();
  const path = restorePath(run, id ?? undefined);
  const things = would.restored - would.heartbeats;
  return (
    <div class="stack asks">
      <RestoreTitle run={run} id={id} />
      <p>
        {would.restored === 0
          ? `Nothing of it can come back to target ${run.target}: it is back already, or never lay in the trash.`
          : `${amountOf(things, 'key')} ${things === 1 ? 'lies' : 'lie'} in the trash and can come back to target ${run.target}, with the time to live that ${things === 1 ? 'it' : 'they'} had${would.heartbeats > 0 ? `; besides, ${amountOf(would.heartbeats, 'heartbeat')}, only if you say so` : ''}.`}
        {would.restored > 0 && (
          <>
            {' '}
            Whatever stays leaves the trash <Time at={restorableUntilMs(run)} now={now} />.
          </>
        )}
        {would.expired > 0 && ` ${amount(would.expired)} would have expired by now, and stay away.`}
      </p>
      {said.map((sentence) => (
        <p key={sentence}>{`${sentence.slice(0, 1).toUpperCase()}${sentence.slice(1)}.`}</p>
      ))}
      {would.existing.length > 0 && (
        <div>
          <p>
            {amountOf(would.existing.length, 'key')} {would.existing.length === 1 ? 'is' : 'are'} there again by now;
            nothing is ever written over {would.existing.length === 1 ? 'it' : 'them'}:
          </p>
          <ul class="names">
            {would.existing.slice(0, NAMES_SHOWN).map((name) => (
              <li key={name} class="id" dir="auto">
                {name}
              </li>
            ))}
            {would.existing.length > NAMES_SHOWN && <li>and {amount(would.existing.length - NAMES_SHOWN)} more</li>}
          </ul>
        </div>
      )}
      {would.restored === 0 ? (
        <p>
          <a class="button" href={to(runPath(run))}>
            Back to the run
          </a>
        </p>
      ) : (
        <form method="post" action={to(path)} class="stack">
          {would.heartbeats > 0 && (
            <label class="choice">
              <input type="checkbox" name="heartbeats" value="yes" />
              {id === null ? `the ${amountOf(would.heartbeats, 'heartbeat')}` : 'its heartbeat'}, too: who is still
              silent then is swept again by the next run
            </label>
          )}
          <p class="actions">
            <button type="submit" class="main">
              Give back
            </button>
            <a class="button" href={to(runPath(run))}>
              Leave it in the trash
            </a>
          </p>
        </form>
      )}
    </div>
  );
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
