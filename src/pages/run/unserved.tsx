/** unserved: what is known of what a run took while its target, where that lies, does not answer. */
import type { Request, Response } from 'express';
import type { PastRun } from '../../ledger/runs/pastRun.ts';
import { restorableUntilMs } from '../../ledger/swept/restorable.ts';
import { amountOf } from '../parts/amounts.ts';
import { Message } from '../parts/message.tsx';
import { Time } from '../parts/time.tsx';
import { sendPage } from '../page.tsx';
import { restorePath, runPath } from '../paths.ts';
import { type Site, usePath } from '../site.ts';
import { ASKED } from './restoreAsk.tsx';
import { RestoreTitle } from './restoreTitle.tsx';

export interface Unserved {
  readonly run: PastRun;
  /** `null`: everything of the run is asked for. */
  readonly id: string | null;
  /** Why the target does not answer, or does not give back. */
  readonly why: string;
  /** Whether it was to give back when that came. */
  readonly begun: boolean;
}

/** Answers so. */
export function sendUnserved(site: Site, request: Request, response: Response, told: Unserved): void {
  const children = (
    <div class="stack asks">
      <RestoreTitle {...told} />
      <Known {...told} now={Date.now()} />
    </div>
  );
  const page = { title: 'Give back', here: '/runs' as const, messages: <Why {...told} />, children };
  sendPage(site, request, response, page, 503);
}

/** The same in the place of the numbers. */
export function UnservedPart(told: Unserved) {
  return (
    <section id={ASKED} class="stack">
      <Why {...told} />
      <Known {...told} now={Date.now()} />
    </section>
  );
}

function Why({ run, why, begun }: Unserved) {
  return (
    <Message kind="trouble" word={begun ? 'Not done' : 'Out of reach'}>
      Target {run.target} {begun ? 'did not give it back' : 'does not answer'}: {why}.
      {begun && ' What came back before that stays; to ask again gives back the rest.'}
    </Message>
  );
}

function Known({ run, id, begun, now }: Unserved & { readonly now: number }) {
  const to = usePath();
  return (
    <>
      <p>
        The run swept {amountOf(run.removed.swept, 'coordinator')} and removed {amountOf(run.removed.deleted, 'thing')}.
        They lie in the trash of target {run.target} itself, and leave it <Time at={restorableUntilMs(run)} now={now} />
        .{!begun && ' That is so also if it does not answer until then. How much can come back is known once it does.'}
      </p>
      <p class="actions">
        <a class="button main" href={to(restorePath(run, id ?? undefined))}>
          Try again
        </a>
        <a class="button" href={to(runPath(run))}>
          Back to the run
        </a>
      </p>
    </>
  );
}
