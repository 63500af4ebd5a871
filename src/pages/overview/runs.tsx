/** runs: the one in progress, the next one, the last one. */
import { shortRunId } from '../../ledger/runs/runId.ts';
import { amount, amountOf, bytesOf, secondsOf, tookOf } from '../parts/amounts.ts';
import { pathToRun, runPath } from '../paths.ts';
import { usePath } from '../site.ts';
import { endOf, StateWord } from '../parts/state.tsx';
import { StopButton } from '../parts/stop.tsx';
import { Said } from '../parts/said.tsx';
import { Time } from '../parts/time.tsx';
import type { PastRun } from '../../ledger/runs/pastRun.ts';
import type { TargetStatus } from '../../status/status.ts';
import type { RunUnderWay } from '../../status/underWay.ts';

interface Props {
  readonly status: TargetStatus;
  readonly now: number;
}

/**
 * The run in progress; where there is none, when the next one comes.
 * @param isPaused whether it can't begin then
 */
export function NextRun({ status, now, isPaused }: Props & { readonly isPaused: boolean }) {
  const { underWay, nextRunAtMs, settings, target } = status;
  if (underWay !== null) return <Running run={underWay} target={target} now={now} />;
  const every = settings.cron === undefined ? `every ${secondsOf(settings.every / 1000)}` : `by cron ${settings.cron}`;
  return (
    <>
      <h2>Next run</h2>
      {nextRunAtMs === null ? (
        <p class="empty">None: a worker declares the schedule once it starts.</p>
      ) : (
        <p>
          <span class="large">
            <Time at={nextRunAtMs} now={now} as="countdown" />
          </span>{' '}
          <span class="soft">
            <Time at={nextRunAtMs} now={now} as="clock" focusable={false} />, {every}
            {isPaused && '; it waits until the queue is resumed'}
          </span>
        </p>
      )}
    </>
  );
}

/** Of one that does nothing now. */
const WAITS = { waiting: 'It waits for a worker.', delayed: 'It failed, and waits for its next attempt.' } as const;

function Running({ run, target, now }: { readonly run: RunUnderWay; readonly target: string; readonly now: number }) {
  const to = usePath();
  const { progress, state, dryRun, stopping, startedAtMs } = run;
  return (
    <>
      <h2>
        {dryRun ? 'Dry run' : 'Run'}{' '}
        <a href={to(pathToRun(run.run, { target, during: startedAtMs ?? undefined }))}>{shortRunId(run.run)}</a>{' '}
        <StateWord state={stopping ? 'stopping' : state} />
      </h2>
      {progress !== null && (
        <p class="progress">
          <progress max={100} value={progress.percent} aria-label={`${progress.phase}, in percent`} />
          <span>
            {progress.phase} {progress.percent} %
          </span>
        </p>
      )}
      <p class="soft">
        {state !== 'active' ? (
          WAITS[state]
        ) : progress === null ? (
          `${amountOf(run.swept, 'coordinator')} swept so far`
        ) : (
          <>
            {amount(progress.checked)} checked, {amount(progress.swept)} of {amount(progress.stale)} swept
          </>
        )}
        {state === 'active' && startedAtMs !== null && (
          <>
            , since <Time at={startedAtMs} now={now} as="clock" focusable={false} />
          </>
        )}
      </p>
      {run.queued && <StopButton run={run.run} target={target} stopping={run.stopping} />}
    </>
  );
}

export function LastRun({ status, now }: Props) {
  const { last } = status.past;
  const to = usePath();
  return (
    <>
      <h2>Last run</h2>
      {last === null ? (
        <p class="empty">None has ended yet. What it found and removed stands here.</p>
      ) : (
        <>
          <p>
            <StateWord state={endOf(last)} dryRun={last.dryRun} />{' '}
            <span class="soft">
              {last.report !== null && `in ${tookOf(last.report.durationMs)}, `}
              <Time at={last.atMs} now={now} />
            </span>
          </p>
          <p>
            <a href={to(runPath(last))}>
              <Said text={cameOf(last)} now={now} />
            </a>
          </p>
        </>
      )}
    </>
  );
}

/** What came of a run, in a few words. */
export function cameOf({ dryRun, outcome, report, removed, reason }: PastRun): string {
  const held = report?.coordinators.held ?? 0;
  const wasCut = outcome === 'failed' || outcome === 'interrupted' || outcome === 'stopped';
  if (wasCut && reason !== null && removed.swept + removed.deleted === 0) return reason;
  if (held > 0 && removed.swept === 0) return `Held ${amountOf(held, 'coordinator')}`;
  if (dryRun && report !== null) {
    const { coordinators, keys } = report;
    return `Would sweep ${amountOf(coordinators.stale, 'coordinator')}, ${amountOf(keys.found, 'thing')}`;
  }
  if (outcome === 'refused' && report !== null) {
    return `Removed nothing: ${amount(report.coordinators.stale)} look stale`;
  }
  if (removed.swept + removed.deleted === 0)
    return reason !== null && report === null ? reason : 'Found nothing to sweep';
  const freed = report?.redis.memoryFreedBytes ?? 0;
  return `Swept ${amountOf(removed.swept, 'coordinator')}, ${amountOf(removed.deleted, 'thing')}${freed > 0 ? `, ${bytesOf(freed)} freed` : ''}`;
}
