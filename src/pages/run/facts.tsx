/** facts: what a run was asked, by whom, and with which guards. */
import type { ComponentChildren } from 'preact';
import type { TargetConfig } from '../../config/resolve.ts';
import type { PastRun } from '../../ledger/runs/pastRun.ts';
import { amount, secondsOf } from '../parts/amounts.ts';
import { AskedBy, Took } from '../runs/cells.tsx';
import { Time } from '../parts/time.tsx';

interface FactProps {
  readonly name: string;
  /** Whether it takes more than a few words. */
  readonly broad?: boolean;
  readonly children: ComponentChildren;
}

function Fact({ name, broad = false, children }: FactProps) {
  return (
    <div class={broad ? 'broad' : undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The guards of a target, as they are set now; none of them is told. */
function guardsOf(target: TargetConfig): string {
  const { maxStale, maxStaleFraction, protect, suddenSilence, mode } = target;
  const guards = [
    mode === 'observe' ? ['only observed'] : [],
    maxStale === undefined ? [] : [`at most ${amount(maxStale)} stale`],
    maxStaleFraction < 1 ? [`at most ${Math.round(maxStaleFraction * 100)} % stale`] : [],
    suddenSilence === false ? ['sudden silence not held'] : [],
    protect.length > 0 ? [`protected: ${protect.join(', ')}`] : [],
  ].flat();
  return guards.length === 0 ? 'none' : guards.join(' · ');
}

interface FactsProps {
  readonly run: PastRun;
  /** `null` where no such target is configured here. */
  readonly target: TargetConfig | null;
  /** Whether it was to go on whatever the guards say; `null` where that is not known any more. */
  readonly forced: boolean | null;
  readonly now: number;
}

export function Facts({ run, target, forced, now }: FactsProps) {
  const threshold = (run.report ?? run.soFar)?.staleAfterSeconds;
  return (
    <dl class="facts">
      <Fact name="target">{run.target}</Fact>
      <Fact name="asked by">
        <AskedBy by={run.by} trigger={run.trigger} />
      </Fact>
      <Fact name="began">
        <Time at={run.startedAtMs} now={now} />
      </Fact>
      {run.state === 'ended' && (
        <Fact name="ended">
          <Time at={run.atMs} now={now} />
        </Fact>
      )}
      <Fact name="took">
        <Took run={run} />
      </Fact>
      <Fact name="stale after">{threshold === undefined ? <span class="none">–</span> : secondsOf(threshold)}</Fact>
      <Fact name="guards, as set now" broad>
        {target === null ? 'no such target is configured here' : guardsOf(target)}
        {forced === true && ', and it was forced past them'}
      </Fact>
      {run.attempts > 1 && <Fact name="attempts">{amount(run.attempts)}</Fact>}
    </dl>
  );
}
