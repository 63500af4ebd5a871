/** restore ask: the page that asks before it gives back: with its numbers, or while they are being counted. */
import type { ComponentChildren } from 'preact';
import type { PastRun } from '../../ledger/runs/pastRun.ts';
import { restorableUntilMs } from '../../ledger/swept/restorable.ts';
import type { Restored } from '../../restore/restore.ts';
import { amount, amountOf } from '../parts/amounts.ts';
import { Time } from '../parts/time.tsx';
import { countPath, restorePath, runPath } from '../paths.ts';
import { usePath } from '../site.ts';
import { RestoreTitle } from './restoreTitle.tsx';

const NAMES_SHOWN = 10;

/** The part of the page that its numbers take the place of. */
export const ASKED = 'asked';

interface AskedFor {
  readonly run: PastRun;
  /** `null`: everything of the run. */
  readonly id: string | null;
}

/** What counting came to. */
export interface Counted {
  readonly would: Restored;
  /** What an operator should know of it besides. */
  readonly said: readonly string[];
}

/** What stands around that part; whoever can't see it hears what comes into it. */
export function Asking({ run, id, children }: AskedFor & { readonly children: ComponentChildren }) {
  return (
    <div class="stack asks">
      <RestoreTitle run={run} id={id} />
      <div aria-live="polite">{children}</div>
    </div>
  );
}

/** Goes on to the page that waits for the numbers. */
export function WithoutScript({ run, id }: AskedFor) {
  const to = usePath();
  return (
    <noscript>
      <meta http-equiv="refresh" content={`0; url=${to(restorePath(run, id ?? undefined, { counted: 'yes' }))}`} />
    </noscript>
  );
}

/** While it is being counted. */
export function Counting({ run, id, now }: AskedFor & { readonly now: number }) {
  const to = usePath();
  return (
    <section id={ASKED} class="stack" data-fill={to(countPath(run, id ?? undefined))}>
      <p>
        The run swept {amountOf(run.removed.swept, 'coordinator')} and removed {amountOf(run.removed.deleted, 'thing')}.
        What is left of it leaves the trash <Time at={restorableUntilMs(run)} now={now} />.
      </p>
      <p data-filling>
        Counting what can come back to target {run.target}… <progress aria-label="Counting" />
      </p>
      <p data-unfilled hidden>
        <strong class="bad">Not counted.</strong> <a href={to(restorePath(run, id ?? undefined))}>Try again</a>
      </p>
      <Buttons run={run} canBack={false} />
    </section>
  );
}

/** With its numbers. */
export function Ask({ run, id, would, said, now }: AskedFor & Counted & { readonly now: number }) {
  const to = usePath();
  return (
    <section id={ASKED} class="stack">
      <HowMuch run={run} would={would} now={now} />
      {said.map((sentence) => (
        <p key={sentence}>{`${sentence.slice(0, 1).toUpperCase()}${sentence.slice(1)}.`}</p>
      ))}
      <There names={would.existing} />
      {would.restored === 0 ? (
        <p>
          <a class="button" href={to(runPath(run))}>
            Back to the run
          </a>
        </p>
      ) : (
        <form method="post" action={to(restorePath(run, id ?? undefined))} class="stack">
          {would.heartbeats > 0 && (
            <label class="choice">
              <input type="checkbox" name="heartbeats" value="yes" />
              {id === null ? `the ${amountOf(would.heartbeats, 'heartbeat')}` : 'its heartbeat'}, too: who is still
              silent then is swept again by the next run
            </label>
          )}
          <Buttons run={run} canBack />
        </form>
      )}
    </section>
  );
}

function Buttons({ run, canBack }: { readonly run: PastRun; readonly canBack: boolean }) {
  const to = usePath();
  return (
    <p class="actions">
      <button type="submit" class="main" disabled={!canBack} data-doing="Giving back…">
        Give back
      </button>
      <a class="button" href={to(runPath(run))}>
        Leave it in the trash
      </a>
    </p>
  );
}

function HowMuch({ run, would, now }: Pick<AskedFor, 'run'> & Pick<Counted, 'would'> & { readonly now: number }) {
  const things = would.restored - would.heartbeats;
  return (
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
  );
}

/** Those that are there again. */
function There({ names }: { readonly names: readonly string[] }) {
  if (names.length === 0) return null;
  return (
    <div>
      <p>
        {amountOf(names.length, 'key')} {names.length === 1 ? 'is' : 'are'} there again by now; nothing is ever written
        over {names.length === 1 ? 'it' : 'them'}:
      </p>
      <ul class="names">
        {names.slice(0, NAMES_SHOWN).map((name) => (
          <li key={name} class="id" dir="auto">
            {name}
          </li>
        ))}
        {names.length > NAMES_SHOWN && <li>and {amount(names.length - NAMES_SHOWN)} more</li>}
      </ul>
    </div>
  );
}
