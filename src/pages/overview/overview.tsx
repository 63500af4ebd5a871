/** overview: the page at `/`: of one target all that is known, of several a row each. */
import type { ComponentChildren } from 'preact';
import type { Status } from '../../status/status.ts';
import { amount, amountOf } from '../parts/amounts.ts';
import { iconFor, titleText } from '../parts/frame.tsx';
import { usePath, useSite } from '../site.ts';
import { Time } from '../parts/time.tsx';
import { Banners } from './banners.tsx';
import { TargetBody, type TargetView, targetParts } from './targetPage.tsx';
import { TargetTable } from './targetTable.tsx';

/** What is looked at: a target, or all of them. */
export type View = TargetView | { readonly status: Status; readonly target: null; readonly now: number };

/** The parts that may change while somebody looks, by their ids. */
export function partsOf(view: View): ReadonlyMap<string, ComponentChildren> {
  const pulse = ['pulse', <Pulse key="pulse" status={view.status} tab={tabOf(view)} />] as const;
  if (view.target !== null) return new Map([pulse, ...targetParts(view)]);
  return new Map([pulse, ...allParts(view.status, view.now)]);
}

function allParts(status: Status, now: number): ReadonlyMap<string, ComponentChildren> {
  const late = status.known === 'now' ? '' : 'late';
  return new Map([
    [
      'banners',
      <section key="banners" id="banners" class="banners">
        <Banners status={status} target={null} />
      </section>,
    ],
    [
      'targets',
      <section key="targets" id="targets" class={late}>
        <TargetTable status={status} now={now} />
      </section>,
    ],
  ]);
}

/** @param live where the events are */
export function Overview({ view, live }: { readonly view: View; readonly live: string }) {
  return (
    <div data-live={live} class="stack">
      <Connection now={view.now} />
      {view.target === null ? <AllTargets status={view.status} now={view.now} /> : <TargetBody view={view} />}
    </div>
  );
}

function AllTargets({ status, now }: { readonly status: Status; readonly now: number }) {
  const parts = allParts(status, now);
  return (
    <>
      {parts.get('banners')}
      <h1>{amountOf(status.targets.length, 'target')}</h1>
      {parts.get('targets')}
    </>
  );
}

/** Shown by the script once events stay away. */
function Connection({ now }: { readonly now: number }) {
  return (
    <div id="connection" class="message notice" role="status" hidden>
      <strong>Connection lost</strong>
      <div class="says">
        What is shown is as of <Time at={now} now={now} as="clock" focusable={false} />. It goes on by itself once the
        dashboard answers.
      </div>
    </div>
  );
}

/** What the browser's tab tells, also of a page that nobody looks at. */
export interface Tab {
  readonly title: string;
  /** Whether a person is needed now. */
  readonly isGrave: boolean;
}

export function tabOf({ status, target }: View): Tab {
  const troubled = status.targets.filter(({ troubles }) => troubles.some(({ grave }) => grave));
  const isGrave = status.troubles.some(({ grave }) => grave);
  if (target === null) {
    const says = troubled.length === 0 ? '' : `${amountOf(troubled.length, 'target')} in trouble · `;
    return { title: `${says}Overview`, isGrave: isGrave || troubled.length > 0 };
  }
  const first = target.troubles.find(({ grave }) => grave);
  const held = target.coordinators?.held ?? 0;
  const says = held > 0 ? `${amount(held)} held · ` : first === undefined ? '' : `${first.word} · `;
  return { title: `${says}${target.target}`, isGrave: isGrave || troubled.includes(target) };
}

/** How queue and workers are; the script takes what the tab tells from it. */
export function Pulse({ status: { workers, known }, tab }: { readonly status: Status; readonly tab?: Tab }) {
  const to = usePath();
  const { assets } = useSite();
  const queue = known === 'now' ? 'queue answers' : known === 'then' ? 'queue does not answer' : 'queue is asked';
  const icon = tab && to(assets[iconFor(tab)] ?? '');
  return (
    <span id="pulse" data-title={tab && titleText(tab.title)} data-icon={icon}>
      <a href={to('/queues')} class="plain">
        {workers === null ? '' : `${amountOf(workers, 'worker')} · `}
        {queue}
      </a>
    </span>
  );
}
