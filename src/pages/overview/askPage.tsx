/** ask page: what a run would do, in numbers, before it is asked for. */
import type { TargetStatus } from '../../status/status.ts';
import { amountOf, bytesOf, secondsOf } from '../parts/amounts.ts';
import { targetPath } from '../paths.ts';
import { useAnswers } from '../answers.ts';
import { usePath } from '../site.ts';
import { Time } from '../parts/time.tsx';

export type AskKind = 'run' | 'force';

interface Props {
  readonly status: TargetStatus;
  readonly kind: AskKind;
  readonly now: number;
}

export function AskPage({ status, kind, now }: Props) {
  const { target, past, coordinators } = status;
  const to = usePath();
  const answers = useAnswers();
  const button = kind === 'force' ? 'Sweep them now' : 'Run now';
  return (
    <>
      <h1>{kind === 'force' ? `Sweep those who are held in ${target}?` : `Run now on ${target}?`}</h1>
      {coordinators === null || past.pass === null ? (
        <p>
          Nobody has counted yet who is stale there. A dry run counts, and removes nothing; after it this page says what
          a run would remove.
        </p>
      ) : (
        <Numbers status={status} kind={kind} now={now} />
      )}
      {!answers && <p class="bad">The queue does not answer: nothing can be asked for until it does.</p>}
      <div class="actions">
        {past.pass !== null && (
          <AskForm target={target} kind={kind} look="grave">
            {button}
          </AskForm>
        )}
        <AskForm target={target} kind="dry" look={past.pass === null ? 'main' : ''}>
          Dry run first
        </AskForm>
        <a class="button" href={to(targetPath(target))}>
          Cancel
        </a>
      </div>
    </>
  );
}

function AskForm(props: { target: string; kind: AskKind | 'dry'; look: string; children: string }) {
  const to = usePath();
  const answers = useAnswers();
  return (
    <form method="post" action={to('/run')}>
      <input type="hidden" name="target" value={props.target} />
      <input type="hidden" name="kind" value={props.kind} />
      <button type="submit" class={props.look} disabled={!answers}>
        {props.children}
      </button>
    </form>
  );
}

function Numbers({ status, kind, now }: Props) {
  const { past, coordinators, staleAfterSeconds } = status;
  if (past.pass === null || coordinators === null) return null;
  const { report, dryRun, atMs } = past.pass;
  const { active, stale, held, unreadable } = coordinators;
  const things = dryRun ? `, with ${amountOf(report.keys.found, 'thing')}` : '';
  const goes = kind === 'force' ? held + stale : stale;
  const memory = report.redis.memoryEstimateBytes;
  return (
    <div class="stack">
      <p class="large">
        {goes === 0 ? 'Nobody' : amountOf(goes, 'coordinator')}
        {things} would go.
      </p>
      <p>
        {goes === 0 ? 'Nobody' : 'So many'} had been silent for longer than {secondsOf(staleAfterSeconds)} and{' '}
        {dryRun ? 'stood there at the last dry run' : 'was left by the last run'}, <Time at={atMs} now={now} />.{' '}
        {amountOf(active, 'active one')} and {amountOf(unreadable, 'unreadable one')} stay, and so does whoever beats
        again before it is their turn.
        {dryRun && memory !== undefined && ` It would free about ${bytesOf(memory)}.`}
        {!dryRun && ' Who has fallen silent since goes, too: a dry run says how many that are.'}
      </p>
      {kind === 'force' && (
        <p>
          {amountOf(held, 'coordinator')} fell silent together. That is more often a network, a deployment or a clock
          than so many deaths: look whether they live before you sweep them. This also passes over <code>maxStale</code>{' '}
          and <code>maxStaleFraction</code>.
        </p>
      )}
      {status.underWay !== null && (
        <p>A run is under way or waits: this wish would join it, and not make it another one.</p>
      )}
    </div>
  );
}
