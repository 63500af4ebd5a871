/** target page: all that is known of one target, in parts that the script replaces one by one. */
import type { ComponentChildren } from 'preact';
import { redactUrl } from '../../config/values/redisUrl.ts';
import type { Status, TargetStatus } from '../../status/status.ts';
import { secondsOf } from '../parts/amounts.ts';
import { AnswersContext, useAnswers } from '../answers.ts';
import { usePath, useSite } from '../site.ts';
import { askPath, Banners } from './banners.tsx';
import { RunTimes, SweptByHour } from './charts.tsx';
import { Coordinators } from './coordinators.tsx';
import { Done, type DoneWords } from './done.tsx';
import { Families } from './families.tsx';
import { LastRun, NextRun } from './runs.tsx';
import type { SweptRow } from './sweptLast.ts';
import { SweptLastTable } from './sweptTable.tsx';

/** What the page shows. */
export interface TargetView {
  readonly status: Status;
  readonly target: TargetStatus;
  readonly swept: readonly SweptRow[];
  /** What came of the button that led here; `null` for none. */
  readonly done: DoneWords | null;
  /** When it was made, in ms. */
  readonly now: number;
}

/** A part: its id, its class, what stands in it. */
type Part = readonly [id: string, kind: string, show: (view: TargetView) => ComponentChildren];

function isPaused({ troubles }: Status): boolean {
  return troubles.some(({ word }) => word === 'Paused');
}

const PARTS: readonly Part[] = [
  ['actions', 'actions', ({ target }) => <Actions target={target} />],
  ['banners', 'banners', ({ status, target }) => <Banners status={status} target={target.target} />],
  ['done', 'banners', ({ done, target, now }) => <Done done={done} target={target} now={now} />],
  ['coordinators', 'wide', ({ target, now }) => <Coordinators status={target} now={now} />],
  ['next', 'side', ({ status, target, now }) => <NextRun status={target} now={now} isPaused={isPaused(status)} />],
  ['last', 'side', ({ target, now }) => <LastRun status={target} now={now} />],
  ['hours', 'half', ({ target, now }) => <SweptByHour status={target} now={now} />],
  ['times', 'half', ({ target, now }) => <RunTimes status={target} now={now} />],
  ['families', 'half', ({ target, now }) => <Families status={target} now={now} />],
  ['swept', 'half', ({ target, now, swept }) => <SweptLastTable status={target} now={now} rows={swept} />],
];

/** The parts that may change while somebody looks, by their ids. */
export function targetParts(view: TargetView): ReadonlyMap<string, ComponentChildren> {
  const late = view.status.known === 'now' ? '' : ' late';
  return new Map(
    PARTS.map(([id, kind, show]) => [
      id,
      <section key={id} id={id} class={`${kind}${['banners', 'actions'].includes(kind) ? '' : late}`}>
        <AnswersContext.Provider value={view.status.known !== 'then'}>{show(view)}</AnswersContext.Provider>
      </section>,
    ]),
  );
}

export function TargetHead({ view, actions }: { readonly view: TargetView; readonly actions: ComponentChildren }) {
  const { target } = view;
  const { settings } = target;
  return (
    <header class="head">
      <div>
        <h1>{target.target}</h1>
        <p class="soft">
          {redactUrl(settings.url)} · schema {settings.schema.name} · stale after{' '}
          {secondsOf(settings.staleAfterSeconds)} ·{' '}
          {settings.mode === 'observe' ? 'observed: every run is dry' : 'sweeping'}
        </p>
      </div>
      {actions}
    </header>
  );
}

function Actions({ target: { target, settings } }: { readonly target: TargetStatus }) {
  const to = usePath();
  const answers = useAnswers();
  if (useSite().readOnly) return <p class="soft">Read-only: runs are asked for elsewhere.</p>;
  return (
    <>
      <form method="post" action={to('/run')}>
        <input type="hidden" name="target" value={target} />
        <input type="hidden" name="kind" value="dry" />
        <button type="submit" class={settings.mode === 'observe' ? 'main' : ''} disabled={!answers}>
          Dry run now
        </button>
      </form>
      {settings.mode !== 'observe' && (
        <a class="button main" {...(answers ? { href: to(askPath(target, 'run')) } : { 'aria-disabled': 'true' })}>
          Run now…
        </a>
      )}
    </>
  );
}

export function TargetBody({ view }: { readonly view: TargetView }) {
  const parts = targetParts(view);
  const banners = ['banners', 'done'];
  const elsewhere = [...banners, 'actions'];
  return (
    <>
      {banners.map((id) => parts.get(id))}
      <TargetHead view={view} actions={parts.get('actions')} />
      <div class="grid">{[...parts].filter(([id]) => !elsewhere.includes(id)).map(([, part]) => part)}</div>
    </>
  );
}
