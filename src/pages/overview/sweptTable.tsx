/** swept table: who was swept last, and the way to give it back. */
import { shortRunId } from '../../ledger/runs/runId.ts';
import { amountOf, secondsOf } from '../parts/amounts.ts';
import { restorePath, runPath, runsFinding } from '../paths.ts';
import { usePath, useSite } from '../site.ts';
import { Line } from '../parts/line.tsx';
import { Things } from '../parts/things.tsx';
import { Time } from '../parts/time.tsx';
import { GiveBackLink } from '../parts/trash.tsx';
import type { PastRun } from '../../ledger/runs/pastRun.ts';
import type { TargetStatus } from '../../status/status.ts';
import type { SweptRow } from './sweptLast.ts';

interface Props {
  readonly status: TargetStatus;
  readonly now: number;
}

export function SweptLastTable({ status: { past }, now, rows }: Props & { readonly rows: readonly SweptRow[] }) {
  const to = usePath();
  const { sweep } = past;
  return (
    <>
      <h2>
        Swept last{' '}
        {sweep !== null && (
          <span class="soft">
            <Time at={sweep.atMs} now={now} />, by run <a href={to(runPath(sweep))}>{shortRunId(sweep.run)}</a>
          </span>
        )}
      </h2>
      {sweep === null ? (
        <p class="empty">Nobody has been swept yet. Who was, in which swarm and after what silence, stands here.</p>
      ) : rows.length === 0 ? (
        <p class="empty">The ledger no longer says whom it swept.</p>
      ) : (
        <>
          <SweptRows rows={rows} run={sweep} now={now} />
          {sweep.removed.swept > rows.length && (
            <p class="soft">
              <a href={to(runPath(sweep))}>and {amountOf(sweep.removed.swept - rows.length, 'other')}</a>
            </p>
          )}
        </>
      )}
    </>
  );
}

interface SweptRowsProps {
  readonly rows: readonly SweptRow[];
  readonly run: PastRun;
  readonly now: number;
}

function SweptRows({ rows, run, now }: SweptRowsProps) {
  const to = usePath();
  const { readOnly } = useSite();
  const hasTrash = !readOnly && rows.some(({ until }) => until !== null && until > now);
  return (
    <table class="sheets lines">
      <caption class="unseen">Coordinators that were swept last</caption>
      <thead>
        <tr>
          <th scope="col">Coordinator</th>
          <th scope="col">Swarm</th>
          <th scope="col" class="number">
            Silent
          </th>
          <th scope="col" class="number">
            Things
          </th>
          {hasTrash && (
            <th scope="col">
              <span class="unseen">Give back</span>
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ coordinator, swarm, silenceSeconds, keys, until, given }) => (
          <tr key={`${coordinator} ${swarm}`}>
            <th scope="row" class="id" dir="auto">
              <Line text={coordinator} href={to(runsFinding(coordinator))} />
            </th>
            <td data-name="swarm" class="id" dir="auto">
              {swarm === null ? '–' : <Line text={swarm} />}
            </td>
            <td class="number" data-name="silent for">
              {secondsOf(silenceSeconds)}
            </td>
            <td class="number" data-name="things">
              <Things keys={keys} />
            </td>
            {hasTrash && (
              <td class="do">
                {given !== null && <span class="soft small">given back</span>}
                <GiveBackLink {...{ until, given, now }} id={coordinator} path={restorePath(run, coordinator)} />
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
