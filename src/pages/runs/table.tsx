/** table: runs in rows; those that say the same are one row, which opens. */
import type { PastRun } from '../../ledger/runs/pastRun.ts';
import type { QueuedRun } from '../../queue/runs/history.ts';
import { amount, amountOf } from '../parts/amounts.ts';
import { Line } from '../parts/line.tsx';
import { runPath } from '../paths.ts';
import { usePath } from '../site.ts';
import { endOf, StateWord } from '../parts/state.tsx';
import { Said } from '../parts/said.tsx';
import { Time } from '../parts/time.tsx';
import { AskedBy, Coordinators, Freed, Things, Took } from './cells.tsx';
import type { Row } from './fold.ts';

/** A row that is opened shows no more. */
const MOST_OPENED = 100;
const COLUMNS = ['when', 'target', 'asked by', 'outcome', 'coordinators', 'things', 'freed', 'took'] as const;
const NUMBERS: readonly string[] = ['coordinators', 'things', 'freed', 'took'];

interface TableProps {
  readonly rows: readonly Row[];
  readonly queued: readonly QueuedRun[];
  readonly now: number;
}

export function RunsTable({ rows, queued, now }: TableProps) {
  return (
    <table class="sheets runs">
      <caption class="unseen">Runs, the newest first</caption>
      <thead>
        <tr>
          {COLUMNS.map((name) => (
            <th key={name} scope="col" class={NUMBERS.includes(name) ? 'number' : undefined}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {queued.map((job) => (
          <QueuedRow key={`queued/${job.run}`} job={job} now={now} />
        ))}
        {rows.map((row) => (
          <FoldedRow key={keyOf(row)} row={row} now={now} />
        ))}
      </tbody>
    </table>
  );
}

function keyOf(row: Row): string {
  const run = row.kind === 'run' ? row.run : row.runs[0];
  return `${row.kind}/${run?.target}/${run?.run}/${run?.startedAtMs}`;
}

function FoldedRow({ row, now }: { readonly row: Row; readonly now: number }) {
  if (row.kind === 'run') return <RunRow run={row.run} now={now} />;
  if (row.kind === 'nothing') return <NothingRow runs={row.runs} now={now} />;
  const [newest] = row.runs;
  return newest === undefined ? null : <RunRow run={newest} now={now} same={row.runs} />;
}

function When({ run, now }: { readonly run: PastRun; readonly now: number }) {
  const to = usePath();
  return (
    <th scope="row">
      <a href={to(runPath(run))}>
        <Time at={run.startedAtMs} now={now} focusable={false} />
        <span class="unseen">: run {run.run}</span>
      </a>
    </th>
  );
}

function RunRow({
  run,
  now,
  same = [],
}: {
  readonly run: PastRun;
  readonly now: number;
  readonly same?: readonly PastRun[];
}) {
  const said = run.report?.outcome === 'completed' ? null : run.reason;
  return (
    <tr>
      <When run={run} now={now} />
      <td data-name="target">
        <Line text={run.target} />
      </td>
      <td data-name="asked by">
        <AskedBy by={run.by} trigger={run.trigger} />
      </td>
      <td>
        <StateWord state={endOf(run)} dryRun={run.dryRun} />
      </td>
      {said !== null && run.removed.swept === 0 ? (
        <td colSpan={3} class="wide reason">
          <Said text={said} now={now} /> <Same runs={same} now={now} />
        </td>
      ) : (
        <>
          <td class="number" data-name="coordinators">
            <Coordinators run={run} />
          </td>
          <td class="number" data-name="things">
            <Things run={run} />
          </td>
          <td class="number" data-name="freed">
            <Freed run={run} />
          </td>
        </>
      )}
      <td class="number" data-name="took">
        <Took run={run} />
      </td>
    </tr>
  );
}

/** How often the same came of it, and when. */
function Same({ runs, now }: { readonly runs: readonly PastRun[]; readonly now: number }) {
  const oldest = runs.at(-1);
  if (oldest === undefined) return null;
  return (
    <details>
      <summary>
        {amount(runs.length)} × since <Time at={oldest.startedAtMs} now={now} focusable={false} />
      </summary>
      <Opened runs={runs} now={now} />
    </details>
  );
}

function NothingRow({ runs, now }: { readonly runs: readonly PastRun[]; readonly now: number }) {
  const [newest, oldest] = [runs[0], runs.at(-1)];
  if (newest === undefined || oldest === undefined) return null;
  const targets = new Set(runs.map(({ target }) => target));
  return (
    <tr class="folded">
      <td colSpan={COLUMNS.length} class="wide">
        <details>
          <summary>
            {amountOf(runs.length, 'run')} found nothing
            {targets.size > 1 ? `, of ${amount(targets.size)} targets` : ` in ${newest.target}`}, from{' '}
            <Time at={oldest.startedAtMs} now={now} focusable={false} /> to{' '}
            <Time at={newest.startedAtMs} now={now} focusable={false} />
          </summary>
          <Opened runs={runs} now={now} withTarget={targets.size > 1} />
        </details>
      </td>
    </tr>
  );
}

interface OpenedProps {
  readonly runs: readonly PastRun[];
  readonly now: number;
  readonly withTarget?: boolean;
}

function Opened({ runs, now, withTarget = false }: OpenedProps) {
  const to = usePath();
  return (
    <ul class="times">
      {runs.slice(0, MOST_OPENED).map((run) => (
        <li key={`${run.target}/${run.run}/${run.startedAtMs}`}>
          <a href={to(runPath(run))}>
            <Time at={run.startedAtMs} now={now} focusable={false} />
            {withTarget ? ` ${run.target}` : ''}
            <span class="unseen">: run {run.run}</span>
          </a>
        </li>
      ))}
      {runs.length > MOST_OPENED && <li>and {amount(runs.length - MOST_OPENED)} more</li>}
    </ul>
  );
}

/** One that only the queue knows. */
function QueuedRow({ job, now }: { readonly job: QueuedRun; readonly now: number }) {
  const to = usePath();
  const at = job.addedAt === null ? null : Date.parse(job.addedAt);
  return (
    <tr>
      <th scope="row">
        <a href={to(`/queues/queue/cleanup/${encodeURIComponent(job.run)}`)}>
          <Time at={at} now={now} focusable={false} />
          <span class="unseen">: job {job.run} in the queue</span>
        </a>
      </th>
      <td data-name="target">{job.target === null ? '–' : <Line text={job.target} />}</td>
      <td data-name="asked by">
        <AskedBy by={job.by} trigger={job.trigger} />
      </td>
      <td>
        <StateWord state={job.state} />
      </td>
      <td colSpan={4} class="wide reason">
        <Said text={job.failedReason ?? 'in the queue, not begun yet'} now={now} />
      </td>
    </tr>
  );
}
