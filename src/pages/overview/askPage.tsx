/** ask page: what a run would do, in numbers, before it is asked for. */
import type { Standing } from '../../domain/standing.ts';
import type { TargetStatus } from '../../status/status.ts';
import { amountOf, bytesOf, secondsOf } from '../parts/amounts.ts';
import { targetPath } from '../paths.ts';
import { useAnswers } from '../answers.ts';
import { usePath } from '../site.ts';
import { Said } from '../parts/said.tsx';
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
    <div class="stack asks">
      <h1>
        {kind === 'force'
          ? `Sweep those who are ${(coordinators?.held ?? 0) > 0 ? 'held' : 'stale'} in ${target}?`
          : `Run now on ${target}?`}
      </h1>
      <Unserved status={status} now={now} />
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
    </div>
  );
}

/** That the target does not serve just now, and what that makes of a run. */
function Unserved({ status: { troubles }, now }: Pick<Props, 'status' | 'now'>) {
  const trouble = troubles.find(({ kind }) => kind === 'unreachable' || kind === 'refusing');
  if (trouble === undefined) return null;
  const comes =
    trouble.kind === 'unreachable'
      ? 'A run tries three times, and fails unless it answers by then; nothing of it is lost.'
      : 'A run removes nothing until it takes writes again.';
  return (
    <p>
      <strong class="bad">{trouble.word}:</strong> <Said text={trouble.sentence} now={now} /> {comes}
    </p>
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

/** A reason as a sentence. */
function sentenceIn(reason: string): string {
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}${reason.endsWith('.') ? '' : '.'}`;
}

/** Those who stay whatever happens, but for those of whom there are none. */
function whoStays({ active, unreadable, held, protected: spared }: Standing, kind: AskKind): string {
  const all = [
    [active, 'active one'],
    [unreadable, 'unreadable one'],
    [kind === 'force' ? 0 : held, 'held one'],
    [spared, 'protected one'],
  ] as const;
  const stay = all.filter(([count]) => count > 0).map(([count, word]) => amountOf(count, word));
  if (stay.length === 0) return 'Whoever beats again before it is their turn stays.';
  const names = stay.length === 1 ? stay[0] : `${stay.slice(0, -1).join(', ')} and ${stay.at(-1)}`;
  const isOne = all.reduce((sum, [count]) => sum + count, 0) === 1;
  return `${names} ${isOne ? 'stays' : 'stay'}, and so does whoever beats again before it is their turn.`;
}

function Numbers({ status, kind, now }: Props) {
  const { past, coordinators, staleAfterSeconds } = status;
  if (past.pass === null || coordinators === null) return null;
  const { report, dryRun, atMs } = past.pass;
  const { stale, held } = coordinators;
  const goes = kind === 'force' ? held + stale : stale;
  // What a dry run found of the stale ones: of those who are held it counted nothing.
  const things = dryRun && goes > 0 && goes === stale ? `, with ${amountOf(report.keys.found, 'thing')},` : '';
  const memory = report.redis.memoryEstimateBytes;
  const who = goes === 0 ? 'Nobody was' : goes === 1 ? 'It was' : 'They were';
  return (
    <div class="stack">
      <p class="large">
        {goes === 0 ? 'Nobody' : amountOf(goes, 'coordinator')}
        {things} would go.
      </p>
      <p>
        {who} silent for longer than {secondsOf(staleAfterSeconds)}{' '}
        {dryRun ? 'at the last dry run' : 'and still there after the last run'}, <Time at={atMs} now={now} />.{' '}
        {whoStays(coordinators, kind)}
        {dryRun && goes > 0 && memory !== undefined && ` It would free about ${bytesOf(memory)}.`}
        {!dryRun && ' Who has fallen silent since goes, too: a dry run says how many that are.'}
      </p>
      {kind === 'force' && (
        <p>
          {held > 0 && `${amountOf(held, 'coordinator')} fell silent together. `}
          {held === 0 &&
            past.last?.outcome === 'refused' &&
            past.last.reason !== null &&
            `${sentenceIn(past.last.reason)} `}
          That is more often a network, a deployment or a clock than so many deaths: look whether they live before you
          sweep them. This {held > 0 ? 'also ' : ''}passes over <code>maxStale</code> and <code>maxStaleFraction</code>.
        </p>
      )}
      {status.underWay !== null && (
        <p>A run is under way or waits: this wish would join it, and not make it another one.</p>
      )}
    </div>
  );
}
