/** found: which runs swept an id, on what proof: what `explain` tells of who is gone. */
import type { SweptOnce } from '../../explain/entry.ts';
import { textOf } from '../../domain/nameText.ts';
import { MOST_TIMES, type SweptFound } from '../../explain/swept.ts';
import { amount, amountOf, secondsOf } from '../parts/amounts.ts';
import { pathToRun } from '../paths.ts';
import { usePath, useSite } from '../site.ts';
import { Line } from '../parts/line.tsx';
import { Things } from '../parts/things.tsx';
import { Time } from '../parts/time.tsx';
import { GiveBackLink, TrashState } from '../parts/trash.tsx';

interface FoundProps {
  readonly id: string;
  readonly found: SweptFound;
  /** As far back as the ledger reaches, in ms; `null` where it is empty. */
  readonly sinceMs: number | null;
  readonly now: number;
}

export function FoundTimes({ id, found: { swept, damaged }, sinceMs, now }: FoundProps) {
  return (
    <section class="part" aria-labelledby="found">
      <h2 id="found">
        Who was swept as <span class="id">{id}</span>
      </h2>
      {swept.length === 0 ? (
        <p class="empty">
          No run that stands in the ledger swept this id. Ids are compared whole;{' '}
          {sinceMs === null ? (
            'the ledger is empty.'
          ) : (
            <>
              the ledger reaches back to <Time at={sinceMs} now={now} />, and who was swept before can't be found any
              more.
            </>
          )}{' '}
          What becomes of it now says <code>stalesweep explain</code>.
        </p>
      ) : (
        <SweptTable swept={swept} now={now} />
      )}
      {swept.length >= MOST_TIMES && (
        <p class="soft">These are the last {amount(MOST_TIMES)} times; there may be earlier ones.</p>
      )}
      {damaged > 0 && <p class="soft">{amountOf(damaged, 'part')} of the ledger could not be read.</p>}
    </section>
  );
}

function trashOf({ restorableUntilMs, restoredAtMs }: SweptOnce) {
  return { until: restorableUntilMs, given: restoredAtMs === null ? null : { atMs: restoredAtMs } };
}

function SweptTable({ swept, now }: { readonly swept: readonly SweptOnce[]; readonly now: number }) {
  const to = usePath();
  const { readOnly } = useSite();
  const hasTrash = !readOnly && swept.some(({ restorableUntilMs }) => restorableUntilMs !== null);
  return (
    <table class="sheets lines fills">
      <thead>
        <tr>
          {['when', 'swarm', 'target', 'by run', 'last beat'].map((name) => (
            <th key={name} scope="col" class={['swarm', 'by run'].includes(name) ? 'name' : undefined}>
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
          {hasTrash && (
            <th scope="col">
              <span class="unseen">give back</span>
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {swept.map((once) => (
          <tr key={`${once.target}/${once.run}/${once.atMs}`}>
            <th scope="row">
              <Time at={once.atMs} now={now} />
            </th>
            <td data-name="swarm" class="id" dir="auto">
              {once.swarm === null ? '–' : <Line text={textOf(once.swarm)} />}
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
            <td data-name={once.restoredAtMs === null ? 'in the trash for' : undefined}>
              <TrashState {...trashOf(once)} now={now} />
            </td>
            {hasTrash && (
              <td class="do">
                <GiveBackLink
                  {...trashOf(once)}
                  now={now}
                  id={textOf(once.coordinator)}
                  path={pathToRun(
                    once.run,
                    { target: once.target, during: once.atMs, id: textOf(once.coordinator) },
                    '/restore',
                  )}
                />
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
