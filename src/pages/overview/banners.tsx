/** banners: what is wrong, the grave first, each with what helps. */
import type { PastRun } from '../../ledger/runs/pastRun.ts';
import { Message } from '../parts/message.tsx';
import { Said } from '../parts/said.tsx';
import { amount, amountOf } from '../parts/amounts.ts';
import { runPath } from '../paths.ts';
import { useAnswers } from '../answers.ts';
import { usePath, useSite } from '../site.ts';
import type { Status } from '../../status/status.ts';
import type { Trouble, TroubleKind } from '../../status/troubles.ts';

interface Props {
  readonly status: Status;
  /** Whose page it is; `null`: everybody's. */
  readonly target: string | null;
}

export function Banners({ status, target }: Props) {
  const own = status.targets.find((one) => one.target === target);
  const troubles = [...status.troubles, ...(own?.troubles ?? [])].toSorted((a, b) => Number(b.grave) - Number(a.grave));
  if (status.known === 'nothing' && troubles.length === 0) {
    return (
      <Message kind="notice" word="Loading">
        The record of past runs is being read.
      </Message>
    );
  }
  return (
    <>
      {troubles.map((trouble) => (
        <Banner
          key={`${trouble.kind} ${trouble.word}`}
          trouble={trouble}
          run={own?.past.last ?? null}
          now={status.atMs}
        />
      ))}
      {target === null && <AmongTargets status={status} />}
    </>
  );
}

/** What is said of so many targets, of one and of several. */
const OF_TARGETS: Readonly<Partial<Record<TroubleKind, readonly [string, string]>>> = {
  unreachable: ['does not answer', 'do not answer'],
  refusing: ['takes no writes', 'take no writes'],
  outage: ['did not answer lately', 'did not answer lately'],
  held: ['holds coordinators that fell silent together', 'hold coordinators that fell silent together'],
  refused: ['has a run that was refused', 'have runs that were refused'],
  failing: ['has runs that fail', 'have runs that fail'],
};

/** How many targets need a person, and why: the table names them, first. */
function AmongTargets({ status: { targets } }: Pick<Props, 'status'>) {
  const grave = targets.flatMap(({ troubles }) => troubles.filter((trouble) => trouble.grave));
  const words = [...new Set(grave.map(({ word }) => word))];
  const says = Object.entries(OF_TARGETS).flatMap(([kind, [ofOne, ofMany]]) => {
    const count = grave.filter((trouble) => trouble.kind === kind).length;
    return count === 0 ? [] : [`${amount(count)} ${count === 1 ? ofOne : ofMany}`];
  });
  if (says.length === 0) return null;
  return (
    <Message kind="trouble" word={words.length === 1 ? words.join() : 'Troubles'}>
      Of {amountOf(targets.length, 'target')} {says.join(', ')}.
    </Message>
  );
}

interface BannerProps {
  readonly trouble: Trouble;
  readonly run: PastRun | null;
  readonly now: number;
}

function Banner({ trouble, run, now }: BannerProps) {
  const { word, sentence, advice, grave } = trouble;
  return (
    <Message kind={grave ? 'trouble' : 'notice'} word={word} actions={<Ways trouble={trouble} run={run} />}>
      <Said text={sentence} now={now} />
      {advice !== null && <> {`${advice[0]?.toUpperCase()}${advice.slice(1)}.`}</>}
    </Message>
  );
}

/** Where it can be helped, or looked at. */
function Ways({ trouble: { kind, target, word }, run }: { readonly trouble: Trouble; readonly run: PastRun | null }) {
  const to = usePath();
  const { readOnly } = useSite();
  const answers = useAnswers();
  if (kind === 'work') return word === 'Paused' ? <a href={to('/queues')}>To the queue</a> : null;
  if (target === null) return null;
  const why = run !== null && ['held', 'refused', 'failing', 'interrupted'].includes(kind);
  return (
    <>
      {(kind === 'held' || kind === 'refused') && !readOnly && (
        <a class="button grave" {...(answers ? { href: to(askPath(target, 'force')) } : { 'aria-disabled': 'true' })}>
          {kind === 'held' ? 'Sweep them now…' : 'Sweep them all the same…'}
        </a>
      )}
      {why && <a href={to(runPath(run))}>Why?</a>}
    </>
  );
}

/** The page that asks before a run begins. */
export function askPath(target: string, kind: 'run' | 'force'): string {
  return `/ask?${new URLSearchParams({ target, kind })}`;
}
