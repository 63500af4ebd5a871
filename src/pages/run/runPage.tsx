/** run page: one run from top to bottom: what came of it, what it was asked, its numbers, who was swept. */
import type { TargetConfig } from '../../config/resolve.ts';
import type { PastRun } from '../../ledger/runs/pastRun.ts';
import { restorableUntilMs } from '../../ledger/swept/restorable.ts';
import { RUN_QUEUE } from '../../queue/names.ts';
import { amount } from '../amounts.ts';
import { pathToRun } from '../runs/query.ts';
import { usePath, useSite } from '../site.ts';
import { StateWord } from '../state.tsx';
import { Time } from '../time.tsx';
import { Facts } from './facts.tsx';
import type { RunJob } from './job.ts';
import { Numbers, Unreadable } from './numbers.tsx';
import { sayOutcome } from './outcome.ts';
import { Swept, type SweptProps } from './swept.tsx';

export interface RunPageProps {
  readonly run: PastRun;
  readonly target: TargetConfig | null;
  readonly job: RunJob | null;
  /** `null`: nobody was swept. */
  readonly swept: Pick<SweptProps, 'page' | 'part' | 'from'> | null;
  readonly now: number;
}

export function RunPage({ run, target, job, swept, now }: RunPageProps) {
  const to = usePath();
  const { report } = run;
  const state = run.state === 'ended' ? (run.outcome ?? 'interrupted') : run.state;
  const isOpen = run.state !== 'ended';
  return (
    <div class="stack" data-live={isOpen ? to(pathToRun(run.run, { target: run.target }, '/live')) : undefined}>
      <div class="title">
        <p>
          <a href={to('/runs')}>Runs</a>
        </p>
        <h1>
          Run <span class="id">{run.run}</span>
        </h1>
        <StateWord state={state} dryRun={run.dryRun} />
      </div>
      <Lead run={run} job={job} now={now} />
      <Facts run={run} target={target} forced={job?.forced ?? null} now={now} />
      {report !== null && report.outcome !== 'skipped' && <Numbers report={report} />}
      {report !== null && <Unreadable groups={report.unreadable} />}
      {swept !== null && <Swept run={run} now={now} {...swept} />}
      <Behind run={run} job={job} />
    </div>
  );
}

/** What came of it; while it goes on, how far it is. The live part of the page. */
export function Lead({ run, job, now }: Pick<RunPageProps, 'run' | 'job' | 'now'>) {
  const progress = run.state === 'active' ? (job?.progress ?? null) : null;
  return (
    <div id="run-lead" class="lead">
      {sayOutcome(run).map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      {progress !== null && (
        <p>
          <progress max={100} value={progress.percent} aria-label="How far the run is" /> {amount(progress.percent)} %,{' '}
          {progress.phase}: {amount(progress.checked)} checked, {amount(progress.stale)} stale
        </p>
      )}
      <GiveBack run={run} now={now} />
    </div>
  );
}

/** The way to everything that it took, while the trash has it. */
function GiveBack({ run, now }: Pick<RunPageProps, 'run' | 'now'>) {
  const to = usePath();
  const { readOnly } = useSite();
  const until = run.state === 'ended' && run.removed.deleted > 0 ? restorableUntilMs(run) : null;
  if (until === null) return null;
  if (until <= now) return <p class="soft">What it took has left the trash.</p>;
  return (
    <p class="actions">
      {!readOnly && (
        <a class="button" href={to(pathToRun(run.run, { target: run.target, at: run.atMs }, '/restore'))}>
          Give everything back…
        </a>
      )}
      <span class="soft">
        what it took leaves the trash <Time at={until} now={now} />
      </span>
    </p>
  );
}

/** What only few want to see. */
function Behind({ run, job }: Pick<RunPageProps, 'run' | 'job'>) {
  const to = usePath();
  return (
    <section class="rear" aria-label="Behind it">
      {run.report !== null && (
        <details>
          <summary>The report as JSON</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
          <pre tabIndex={0}>{JSON.stringify(run.report, null, 2)}</pre>
        </details>
      )}
      {job !== null && (
        <p>
          <a href={to(`/queues/queue/${RUN_QUEUE}/${encodeURIComponent(run.run)}`)}>Its job in the queue</a>
        </p>
      )}
    </section>
  );
}
