/** give back: the way to everything that a run took, while the trash has it; and what was given back of it already. */
import { givenBack, leftSome, type RestoredNote } from '../../ledger/targets/restored.ts';
import type { PastRun } from '../../ledger/runs/pastRun.ts';
import { restorableUntilMs } from '../../ledger/swept/restorable.ts';
import { amount, amountOf } from '../parts/amounts.ts';
import { restorePath } from '../paths.ts';
import { usePath, useSite } from '../site.ts';
import { Time } from '../parts/time.tsx';

interface GiveBackProps {
  readonly run: PastRun;
  /** What was given back of its target's trash. */
  readonly notes: readonly RestoredNote[];
  readonly now: number;
}

/** Nothing of a run that took nothing. */
export function GiveBack({ run, notes, now }: GiveBackProps) {
  const { readOnly } = useSite();
  const to = usePath();
  if (run.state !== 'ended' || run.removed.deleted === 0) return null;
  const until = restorableUntilMs(run);
  if (until === null) return <p class="soft">What it took is gone for good: its target kept no trash.</p>;
  const given = givenBack(notes, run);
  const isOver = until <= now;
  const canBack = !isOver && (given === null || leftSome(given));
  return (
    <>
      {given !== null && <Given given={given} now={now} />}
      {canBack ? (
        <p class="actions">
          {!readOnly && (
            <a class="button" href={to(restorePath(run))}>
              {given === null ? 'Give everything back…' : 'Give back the rest…'}
            </a>
          )}
          <span class="soft">
            {given === null ? 'What it took' : 'What is left'} leaves the trash <Time at={until} now={now} />
          </span>
        </p>
      ) : (
        given === null && <p class="soft">What it took has left the trash.</p>
      )}
    </>
  );
}

function Given({ given, now }: { readonly given: RestoredNote; readonly now: number }) {
  const { restored, existing, expired, heartbeats, by, atMs } = given;
  return (
    <p>
      Given back <Time at={atMs} now={now} />
      {by !== null && (
        <>
          {' '}
          by <span class="id">{by}</span>
        </>
      )}
      : {amountOf(restored, 'key')}
      {existing > 0 && `; ${amount(existing)} ${existing === 1 ? 'was' : 'were'} there again and stayed in the trash`}
      {expired > 0 && `; ${amount(expired)} had expired`}
      {!heartbeats && '; heartbeats stayed in the trash'}.
    </p>
  );
}
