/** run page: one run from top to bottom: what came of it, what it was asked, its numbers, who was swept. */
import type { TargetConfig } from '../../config/resolve.ts';
import type { RestoredNote } from '../../ledger/targets/restored.ts';
import type { PastRun } from '../../ledger/runs/pastRun.ts';
import { RUN_QUEUE } from '../../queue/names.ts';
import { amount } from '../parts/amounts.ts';
import { pathToRun } from '../paths.ts';
import { usePath } from '../site.ts';
import { Said } from '../parts/said.tsx';
import { endOf, StateWord } from '../parts/state.tsx';
import { StopButton } from '../parts/stop.tsx';
import { Facts } from './facts.tsx';
import { GiveBack } from './giveBack.tsx';
import type { RunJob } from './job.ts';
import { Numbers, Unreadable } from './numbers.tsx';
import { sayOutcome } from './outcome.ts';
import { PhaseLine } from './phases.tsx';
import { Swept, type SweptProps } from './swept.tsx';

export interface RunPageProps {
  readonly run: PastRun;
  readonly target: TargetConfig | null;
  readonly job: RunJob | null;
  /** `null`: nobody was swept. */
  readonly swept: Pick<SweptProps, 'page' | 'part' | 'from'> | null;
  /** What was given back of its target's trash. */
  readonly notes: readonly RestoredNote[];
  readonly now: number;
}

export function RunPage({ run, target, job, swept, notes, now }: RunPageProps) {
  const to = usePath();
  const { report } = run;
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
        <StateWord state={endOf(run)} dryRun={run.dryRun} />
      </div>
      <Lead run={run} job={job} notes={notes} now={now} />
      <Facts run={run} target={target} forced={job?.forced ?? null} now={now} />
      <PhaseLine run={run} />
      {report !== null && report.outcome !== 'skipped' && report.pass !== 'none' && <Numbers report={report} />}
      {report !== null && <Unreadable groups={report.unreadable} />}
      {swept !== null && <Swept run={run} notes={notes} now={now} {...swept} />}
      <Behind run={run} job={job} />
    </div>
  );
}

/** What came of it; while it goes on, how far it is. The live part of the page. */
export function Lead({ run, job, notes, now }: Pick<RunPageProps, 'run' | 'job' | 'notes' | 'now'>) {
  const progress = run.state === 'active' ? (job?.progress ?? null) : null;
  return (
    <div id="run-lead" class="lead">
      {sayOutcome(run).map((sentence) => (
        <p key={sentence}>
          <Said text={sentence} now={now} />
        </p>
      ))}
      {progress !== null && (
        <p>
          <progress max={100} value={progress.percent} aria-label="How far the run is" /> {amount(progress.percent)} %,{' '}
          {progress.phase}: {amount(progress.checked)} checked, {amount(progress.stale)} stale
        </p>
      )}
      {job !== null && run.state !== 'ended' && (
        <>
          {job.stopping && <p>It was asked to stop, and ends after its chunk.</p>}
          <StopButton run={run.run} target={run.target} stopping={job.stopping} />
        </>
      )}
      <GiveBack run={run} notes={notes} now={now} />
    </div>
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
