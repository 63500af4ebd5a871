/** charts: what was swept in each hour of the last day, and how long the last runs took. */
import { shortRunId } from '../../ledger/runs/runId.ts';
import type { ComponentChildren } from 'preact';
import { amount, amountOf, tookOf } from '../parts/amounts.ts';
import { type Bar, Bars, Behind } from '../parts/chart.tsx';
import { pathToRun, runsPath } from '../paths.ts';
import { usePath } from '../site.ts';
import { StateWord } from '../parts/state.tsx';
import { Time } from '../parts/time.tsx';
import type { RunSummary } from '../../status/pastRuns.ts';
import type { TargetStatus } from '../../status/status.ts';

const HOUR_MS = 3_600_000;
const HOURS = 24;

interface Props {
  readonly status: TargetStatus;
  readonly now: number;
}

interface Hour {
  readonly fromMs: number;
  swept: number;
  deleted: number;
  failed: number;
}

/** The last 24 hours of the clock, the present one last. */
function hoursOf(runs: readonly RunSummary[], now: number): readonly Hour[] {
  const last = Math.floor(now / HOUR_MS) * HOUR_MS;
  const hours = Array.from({ length: HOURS }, (_, i): Hour => {
    return { fromMs: last - (HOURS - 1 - i) * HOUR_MS, swept: 0, deleted: 0, failed: 0 };
  });
  for (const { atMs, swept, deleted, outcome } of runs) {
    const hour = hours[Math.floor((atMs - (hours[0]?.fromMs ?? 0)) / HOUR_MS)];
    if (hour === undefined) continue;
    hour.swept += swept;
    hour.deleted += deleted;
    if (outcome === 'failed') hour.failed++;
  }
  return hours;
}

function barOf({ fromMs, swept: count, deleted: things }: Hour): Bar {
  const from = new Date(fromMs).toISOString().slice(11, 16);
  return { count, title: `${from} UTC: ${amountOf(count, 'coordinator')}, ${amountOf(things, 'thing')}` };
}

export function SweptByHour({ status: { past, target }, now }: Props) {
  const to = usePath();
  const hours = hoursOf(past.runs, now);
  const swept = hours.reduce((sum, hour) => sum + hour.swept, 0);
  const deleted = hours.reduce((sum, hour) => sum + hour.deleted, 0);
  const hrefOf = ({ fromMs, swept: count, deleted: things }: Hour): string | undefined =>
    count + things > 0 ? to(runsPath(target, { removed: 'yes', since: fromMs, until: fromMs + HOUR_MS })) : undefined;
  const bars = hours.map((hour) => ({ ...barOf(hour), href: hrefOf(hour) }));
  return (
    <figure class="chart">
      <figcaption>
        <h2>
          Swept in 24 hours{' '}
          <a href={to(runsPath(target, { removed: 'yes' }))}>
            {amountOf(swept, 'coordinator')}, {amountOf(deleted, 'thing')}
          </a>
        </h2>
      </figcaption>
      {swept + deleted === 0 ? (
        <p class="empty">Nobody. Once somebody is swept, a bar for that hour stands here.</p>
      ) : (
        <>
          <Bars bars={bars} />
          <div class="marks" aria-hidden="true">
            <span>24 h ago</span>
            <span>now</span>
          </div>
        </>
      )}
      <Behind id="hours-table" about="What was swept in each of the last 24 hours">
        <table>
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col" class="number">
                Coordinators
              </th>
              <th scope="col" class="number">
                Things
              </th>
              <th scope="col" class="number">
                Failed runs
              </th>
            </tr>
          </thead>
          <tbody>
            {hours.toReversed().map((hour) => (
              <tr key={hour.fromMs}>
                <td>
                  <HourLink href={hrefOf(hour)}>
                    <Time at={hour.fromMs} now={now} as="clock" focusable={false} />
                  </HourLink>
                </td>
                <td class="number">{amount(hour.swept)}</td>
                <td class="number">{amount(hour.deleted)}</td>
                <td class="number">{amount(hour.failed)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Behind>
    </figure>
  );
}

function HourLink({ href, children }: { readonly href: string | undefined; readonly children: ComponentChildren }) {
  return href === undefined ? children : <a href={href}>{children}</a>;
}

const LAST_RUNS = 100;

/** A dot for each run, as high as it took long; those without a report stand at the bottom. */
export function RunTimes({ status: { past, target }, now }: Props) {
  const to = usePath();
  const runs = past.runs.slice(-LAST_RUNS);
  const times = runs.map(({ durationMs }) => durationMs).filter((took) => took !== null);
  const longest = Math.max(1, ...times);
  const at = ({ durationMs }: RunSummary, i: number) =>
    `M${(LAST_RUNS - runs.length + i + 0.5).toFixed(1)} ${(96 - ((durationMs ?? 0) / longest) * 90).toFixed(1)}h.01`;
  const isBad = ({ outcome }: RunSummary) => outcome === 'failed' || outcome === 'refused';
  const good = runs.map((run, i) => (isBad(run) ? '' : at(run, i))).join('');
  const bad = runs.map((run, i) => (isBad(run) ? at(run, i) : '')).join('');
  const badCount = runs.filter(isBad).length;
  return (
    <figure class="chart">
      <figcaption>
        <h2>
          Run time{' '}
          <span class="soft">
            {runs.length === 0
              ? 'of the last runs'
              : `last ${amountOf(runs.length, 'run')}, the longest ${tookOf(longest)}`}
            {badCount > 0 && <span class="bad">, {badCount} failed or refused</span>}
          </span>
        </h2>
      </figcaption>
      {runs.length === 0 ? (
        <p class="empty">A dot for each run stands here once one has ended.</p>
      ) : (
        <>
          <svg class="dots" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
            <path class="good" d={good} />
            <path class="bad" d={bad} />
          </svg>
          <div class="marks" aria-hidden="true">
            <span>older</span>
            <span>newest</span>
          </div>
          <Behind id="times-table" about="How long the last runs took">
            <table>
              <thead>
                <tr>
                  <th scope="col">Run</th>
                  <th scope="col">Ended</th>
                  <th scope="col">Outcome</th>
                  <th scope="col" class="number">
                    Took
                  </th>
                </tr>
              </thead>
              <tbody>
                {runs.toReversed().map(({ run, atMs, outcome, dryRun, durationMs }) => (
                  <tr key={`${run} ${atMs}`}>
                    <td>
                      <a href={to(pathToRun(run, { target, at: atMs }))}>{shortRunId(run)}</a>
                    </td>
                    <td>
                      <Time at={atMs} now={now} focusable={false} />
                    </td>
                    <td>
                      <StateWord state={outcome} dryRun={dryRun} />
                    </td>
                    <td class="number">{durationMs === null ? '–' : tookOf(durationMs)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Behind>
        </>
      )}
    </figure>
  );
}
