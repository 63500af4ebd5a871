/** families: what stands in a target, by family. */
import { amount, bytesOf, secondsOf } from '../parts/amounts.ts';
import { Time } from '../parts/time.tsx';
import type { RunSummary } from '../../status/pastRuns.ts';
import type { TargetStatus } from '../../status/status.ts';

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
        <p class="empty">Things and memory by family stand here after the next run that looks at everybody.</p>
      ) : (
        <div class="scroll">
          <table class="sheets families">
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
                <th scope="col" class="number">
                  Untouched up to
                </th>
              </tr>
            </thead>
            <tbody>
              {look.families.map(({ family, keys, bytes, idleSeconds }) => (
                <tr key={family}>
                  <th scope="row">{family}</th>
                  <td class="number" data-name="things">
                    {amount(keys)}
                  </td>
                  <td class="number" data-name="memory">
                    {bytes === null ? '–' : bytesOf(bytes)}
                  </td>
                  <td class="number" data-name="removed in 24 h">
                    {amount(sweptToday(past.runs, family, now))}
                  </td>
                  <td class="number" data-name="untouched up to">
                    {idleSeconds === undefined ? '–' : secondsOf(idleSeconds)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
