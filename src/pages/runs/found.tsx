/** found: which runs swept an id, on what proof: what `explain` tells of who is gone. */
import type { SweptOnce } from '../../explain/entry.ts';
import { textOf } from '../../explain/names.ts';
import type { SweptFound } from '../../explain/swept.ts';
import { amountOf, secondsOf } from '../parts/amounts.ts';
import { pathToRun } from '../paths.ts';
import { usePath } from '../site.ts';
import { Things } from '../parts/things.tsx';
import { Time } from '../parts/time.tsx';
import { TrashState } from '../parts/trash.tsx';

interface FoundProps {
  readonly id: string;
  readonly found: SweptFound;
  readonly now: number;
}

export function FoundTimes({ id, found: { swept, damaged }, now }: FoundProps) {
  return (
    <section class="part" aria-labelledby="found">
      <h2 id="found">
        Who was swept as <span class="id">{id}</span>
      </h2>
      {swept.length === 0 ? (
        <p class="empty">
          No run that stands in the ledger swept this id. Ids are compared whole; what was swept longer ago than the
          ledger keeps can't be found any more. What becomes of it now says <code>stalesweep explain</code>.
        </p>
      ) : (
        <SweptTable swept={swept} now={now} />
      )}
      {damaged > 0 && <p class="soft">{amountOf(damaged, 'part')} of the ledger could not be read.</p>}
    </section>
  );
}

function SweptTable({ swept, now }: { readonly swept: readonly SweptOnce[]; readonly now: number }) {
  const to = usePath();
  return (
    <table class="sheets">
      <thead>
        <tr>
          {['when', 'swarm', 'target', 'by run', 'last beat'].map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
          <th scope="col" class="number">
            silent for
          </th>
          <th scope="col" class="number">
            things
          </th>
          <th scope="col">in the trash for</th>
        </tr>
      </thead>
      <tbody>
        {swept.map((once) => (
          <tr key={`${once.target}/${once.run}/${once.atMs}`}>
            <th scope="row">
              <Time at={once.atMs} now={now} />
            </th>
            <td data-name="swarm" class="id">
              {once.swarm === null ? '–' : textOf(once.swarm)}
            </td>
            <td data-name="target">{once.target}</td>
            <td data-name="by run">
              <a href={to(pathToRun(once.run, { target: once.target, during: once.atMs }))}>
                <span class="id">{once.run}</span>
              </a>{' '}
              <span class="soft">
                (<bdi>{once.by}</bdi>)
              </span>
            </td>
            <td data-name="last beat">
              <Time at={once.lastBeatAtMs} now={now} />
            </td>
            <td class="number" data-name="silent for">
              {secondsOf(once.silenceSeconds)}
            </td>
            <td data-name="things" class="number">
              <Things keys={once.keys} />
            </td>
            <td data-name="in the trash for">
              <TrashState
                until={once.restorableUntilMs}
                given={once.restoredAtMs === null ? null : { atMs: once.restoredAtMs }}
                now={now}
              />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
