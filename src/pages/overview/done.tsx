/** done: what came of a button: what was asked for, and then how it ended. */
import { shortRunId } from '../../ledger/runs/runId.ts';
import type { ComponentChildren } from 'preact';
import type { TargetStatus } from '../../status/status.ts';
import { tookOf } from '../parts/amounts.ts';
import { Message } from '../parts/message.tsx';
import { pathToRun } from '../paths.ts';
import { usePath } from '../site.ts';
import { Said } from '../parts/said.tsx';
import { Time } from '../parts/time.tsx';
import { cameOf } from './runs.tsx';

/** What happened, by the word that the redirect carries. */
const HAPPENED = {
  asked: 'was asked for.',
  joined: 'had been asked for before: this wish joined it.',
  'joined-other':
    'had been asked for before, with other wishes: it goes on as it was asked for. Ask again once it has ended.',
  'joined-dry': 'had been asked for before, and is dry: nothing will be removed. Ask again once it has ended.',
  stopping: 'ends after its chunk. What it removed stays removed, and stands in its report.',
} as const;

export type DoneWord = keyof typeof HAPPENED;

export interface DoneWords {
  readonly word: DoneWord;
  readonly run: string;
}

/** What stands in the query of a page that a button led to; `null` where nothing does. */
export function doneIn(query: Readonly<Record<string, unknown>>): DoneWords | null {
  const { done, run } = query;
  if (typeof done !== 'string' || typeof run !== 'string' || !Object.hasOwn(HAPPENED, done)) return null;
  return /^[\w:.-]{1,64}$/.test(run) ? { word: done as DoneWord, run } : null;
}

interface Props {
  readonly done: DoneWords | null;
  readonly target: TargetStatus;
  readonly now: number;
}

export function Done({ done, target: { past, target }, now }: Props): ComponentChildren {
  const to = usePath();
  if (done === null) return null;
  const { last } = past;
  const link = <a href={to(pathToRun(done.run, { target }))}>Run {shortRunId(done.run)}</a>;
  if (last?.run !== done.run) {
    return (
      <Message kind="done" word="Asked">
        {link} {HAPPENED[done.word]}
      </Message>
    );
  }
  const took = last.report === null ? '' : ` in ${tookOf(last.report.durationMs)}`;
  return (
    <Message kind="done" word="Ended">
      {link}: {last.outcome}
      {took}, <Time at={last.atMs} now={now} focusable={false} />. <Said text={cameOf(last)} now={now} />.
    </Message>
  );
}
