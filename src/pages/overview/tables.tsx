/** tables: what stands in a target by family, and who was swept last. */
import { amount, amountOf, bytesOf, secondsOf } from '../amounts.ts';
import { runPath } from '../paths.ts';
import { usePath } from '../site.ts';
import { Time } from '../time.tsx';
import type { RunSummary } from '../../status/pastRuns.ts';
import type { TargetStatus } from '../../status/status.ts';
import type { SweptRow } from './sweptLast.ts';

interface Props {
  readonly status: TargetStatus;
  readonly now: number;
}

const DAY_MS = 86_400_000;

function sweptToday(runs: readonly RunSummary[], family: string, now: number): number {
  return runs.reduce((sum, { atMs, byFamily }) => sum + (atMs >= now - DAY_MS ? (byFamily?.[family] ?? 0) : 0), 0);
}

export function Families({ status: { look, past }, now }: Props) {
  return (
    <>
      <h2>
        What stands there{' '}
        {look !== null && (
          <span class="soft">
            <Time at={look.atMs} now={now} />
            {!look.complete && ', estimated from a sample'}
          </span>
        )}
      </h2>
      {look === null ? (
        <p class="empty">Things and memory by family stand here after the first run.</p>
      ) : (
        <div class="scroll">
          <table>
            <caption class="unseen">Things and memory by family</caption>
            <thead>
              <tr>
                <th scope="col">Family</th>
                <th scope="col" class="number">
                  Things
                </th>
                <th scope="col" class="number">
                  Memory
                </th>
                <th scope="col" class="number">
                  Removed in 24 h
                </th>
              </tr>
            </thead>
            <tbody>
              {look.families.map(({ family, keys, bytes }) => (
                <tr key={family}>
                  <th scope="row">{family}</th>
                  <td class="number">{amount(keys)}</td>
                  <td class="number">{bytes === null ? '–' : bytesOf(bytes)}</td>
                  <td class="number">{amount(sweptToday(past.runs, family, now))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
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
            <Time at={sweep.atMs} now={now} />, by run <a href={to(runPath(sweep.run))}>{sweep.run.slice(0, 8)}</a>
          </span>
        )}
      </h2>
      {sweep === null ? (
        <p class="empty">Nobody has been swept yet. Who was, in which swarm and after what silence, stands here.</p>
      ) : rows.length === 0 ? (
        <p class="empty">The ledger no longer says whom it swept.</p>
      ) : (
        <>
          <div class="scroll">
            <table class="sheets">
              <caption class="unseen">Coordinators that were swept last</caption>
              <thead>
                <tr>
                  <th scope="col">Coordinator</th>
                  <th scope="col">Swarm</th>
                  <th scope="col" class="number">
                    Silent for
                  </th>
                  <th scope="col" class="number">
                    Things
                  </th>
                </tr>
              </thead>
              <tbody>
                {rows.map(({ coordinator, swarm, silenceSeconds, things }) => (
                  <tr key={`${coordinator} ${swarm}`}>
                    <th scope="row">
                      <span class="id cut" title={coordinator}>
                        {coordinator}
                      </span>
                    </th>
                    <td data-name="in">{swarm === null ? '–' : <span class="id cut">{swarm}</span>}</td>
                    <td class="number" data-name="silent for">
                      {secondsOf(silenceSeconds)}
                    </td>
                    <td class="number" data-name="things">
                      {things === null ? '–' : amount(things)}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {sweep.removed.swept > rows.length && (
            <p class="soft">
              <a href={to(runPath(sweep.run))}>and {amountOf(sweep.removed.swept - rows.length, 'other')}</a>
            </p>
          )}
        </>
      )}
    </>
  );
}
