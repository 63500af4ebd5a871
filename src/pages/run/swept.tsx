/** swept: who was swept by a run: a table, a page at a time, and a search in it. */
import { textOf } from '../../domain/nameText.ts';
import { keysOf } from '../../explain/swept.ts';
import { givenBack, type RestoredNote } from '../../ledger/targets/restored.ts';
import type { PastRun } from '../../ledger/runs/pastRun.ts';
import { restorableUntilMs } from '../../ledger/swept/restorable.ts';
import type { SweptOnce } from '../../ledger/swept/lookup.ts';
import type { SweptPage, SweptPlace } from '../../ledger/swept/sweptPage.ts';
import { amount, amountOf, secondsOf } from '../parts/amounts.ts';
import { pathToRun, restorePath, runsFinding } from '../paths.ts';
import { usePath, useSite } from '../site.ts';
import { Line } from '../parts/line.tsx';
import { Things } from '../parts/things.tsx';
import { Time } from '../parts/time.tsx';
import { GiveBackLink, TrashState } from '../parts/trash.tsx';

export interface SweptProps {
  readonly run: PastRun;
  readonly page: SweptPage;
  /** What was given back of its target's trash. */
  readonly notes: readonly RestoredNote[];
  /** What is searched for; `undefined`: all are shown. */
  readonly part: string | undefined;
  readonly from: SweptPlace | undefined;
  readonly now: number;
}

export function placeText({ batch, row }: SweptPlace): string {
  return `${batch}.${row}`;
}

export function Swept({ run, page, notes, part, from, now }: SweptProps) {
  const to = usePath();
  const hint = { target: run.target, at: run.state === 'ended' ? run.atMs : undefined };
  const { rows, next, damaged } = page;
  return (
    <section class="part" id="swept" aria-labelledby="swept-title">
      <h2 id="swept-title">
        Who was swept{part === undefined ? `: ${amountOf(run.removed.swept, 'coordinator')}` : ''}
      </h2>
      <form method="get" action={to(`${pathToRun(run.run, {})}`)} class="fields" aria-label="Search in this run">
        {Object.entries(hint).map(([name, value]) =>
          value === undefined ? null : <input key={name} type="hidden" name={name} value={value} />,
        )}
        <label>
          ids with
          <input type="search" name="part" value={part ?? ''} autocomplete="off" spellcheck={false} size={24} />
        </label>
        <button type="submit">Search</button>
        {part !== undefined && <a href={to(pathToRun(run.run, hint))}>Show all</a>}
      </form>
      {rows.length === 0 ? <Nobody part={part} isLast={next === null} /> : <Rows {...{ page, run, notes, now }} />}
      <p class="pages">
        {from !== undefined && <a href={to(`${pathToRun(run.run, { ...hint, part })}#swept`)}>First page</a>}
        {next !== null && (
          <a rel="next" href={to(`${pathToRun(run.run, { ...hint, part, from: placeText(next) })}#swept`)}>
            {rows.length === 0 ? 'Search on' : `Next ${amount(100)}`}
          </a>
        )}
      </p>
      {damaged > 0 && <p class="soft">{amountOf(damaged, 'part')} of the ledger could not be read.</p>}
    </section>
  );
}

function Nobody({ part, isLast }: { readonly part: string | undefined; readonly isLast: boolean }) {
  if (part === undefined)
    return <p class="empty">The ledger has nobody's name any more: who was swept is kept for a time.</p>;
  return <p class="empty">{isLast ? 'Nobody here has an id like that.' : 'Nobody so far has an id like that.'}</p>;
}

function Rows({ page: { rows }, run, notes, now }: Pick<SweptProps, 'page' | 'run' | 'notes' | 'now'>) {
  const { readOnly } = useSite();
  const hasTrash = rows.some(({ batch }) => restorableUntilMs(batch) !== null);
  return (
    <table class="sheets lines fills">
      <thead>
        <tr>
          <th scope="col" class="name">
            id
          </th>
          <th scope="col" class="name">
            swarm
          </th>
          <th scope="col">last beat</th>
          <th scope="col" class="number">
            silent for
          </th>
          <th scope="col" class="number">
            things
          </th>
          {hasTrash && (
            <>
              <th scope="col" class="number">
                in the trash for
              </th>
              {!readOnly && (
                <th scope="col">
                  <span class="unseen">give back</span>
                </th>
              )}
            </>
          )}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Row
            key={`${textOf(row.coordinator)}/${row.swarm === null ? '' : textOf(row.swarm)}`}
            {...{ row, run, notes, now, hasTrash }}
          />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps extends Pick<SweptProps, 'run' | 'notes' | 'now'> {
  readonly row: SweptOnce;
  readonly hasTrash: boolean;
}

function Row({ row, run, notes, now, hasTrash }: RowProps) {
  const to = usePath();
  const { readOnly } = useSite();
  const { coordinator, swarm, beatMs, silenceSeconds, keysByFamily, batch } = row;
  const id = textOf(coordinator);
  const trash = { until: restorableUntilMs(batch), given: givenBack(notes, { ...batch, coordinator }), now };
  return (
    <tr>
      <th scope="row" class="id" dir="auto">
        <Line text={id} href={to(runsFinding(id))} />
      </th>
      <td data-name="swarm" class="id" dir="auto">
        {swarm === null ? '–' : <Line text={textOf(swarm)} />}
      </td>
      <td data-name="last beat">
        <Time at={beatMs} now={now} focusable={false} />
      </td>
      <td class="number" data-name="silent for">
        {secondsOf(silenceSeconds)}
      </td>
      <td class="number" data-name="things">
        <Things keys={keysOf(keysByFamily, batch.families)} />
      </td>
      {hasTrash && (
        <>
          <td class="number" data-name={trash.given === null ? 'in the trash for' : undefined}>
            <TrashState {...trash} />
          </td>
          {!readOnly && (
            <td class="do">
              <GiveBackLink {...trash} id={id} path={restorePath(run, id)} />
            </td>
          )}
        </>
      )}
    </tr>
  );
}
