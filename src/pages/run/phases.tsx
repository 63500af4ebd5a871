/** phases: how long a run was in each of its phases, as a bar and in words, which say the same, and together what the run took. */
import type { PastRun } from '../../ledger/runs/pastRun.ts';
import { tookOf } from '../parts/amounts.ts';
import { type Timed, tookMs } from '../runs/cells.tsx';

/** What each does. */
const DOES: Readonly<Record<string, string>> = {
  mark: 'finds the stale ones',
  gather: 'finds what they left',
  sweep: 'removes it',
  rest: 'connects, asks the server what it can, waits for another try',
};
/** Comes once the report is made, and so when the time is up that the run took. */
const AFTER = 'report';
/** A phase that took less is no part of the picture, in ms. */
const LEAST_MS = 1;
const GAP = 0.4;

/** By phase, in whole ms; the last one is what the run took besides. */
export function spentIn({
  phases = {},
  ...run
}: Pick<PastRun, 'phases'> & Timed): readonly (readonly [string, number])[] {
  const spent = Object.entries(phases).filter(([phase, ms]) => phase !== AFTER && ms >= LEAST_MS);
  const rest = (tookMs(run) ?? 0) - spent.reduce((sum, [, ms]) => sum + ms, 0);
  return spent.length > 0 && rest >= LEAST_MS ? [...spent, ['rest', rest]] : spent;
}

/** Nothing where the run was in none, or too quick. */
export function PhaseLine({ run }: { readonly run: Pick<PastRun, 'phases'> & Timed }) {
  const spent = spentIn(run);
  const all = spent.reduce((sum, [, ms]) => sum + ms, 0);
  if (all === 0) return null;
  let at = 0;
  return (
    <section class="phases" aria-labelledby="phases-title">
      <h2 id="phases-title" class="unseen">
        How long each phase took
      </h2>
      <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
        {spent.map(([phase, ms]) => {
          const [from, width] = [at, (ms / all) * 100];
          at += width;
          return (
            <rect key={phase} class={phase} x={from} y={0} width={Math.max(GAP, width - GAP)} height={1}>
              <title>{`${phase}: ${tookOf(ms)}`}</title>
            </rect>
          );
        })}
      </svg>
      <ul>
        {spent.map(([phase, ms]) => (
          <li key={phase}>
            <span class={`swatch ${phase}`} aria-hidden="true" />
            {phase} {tookOf(ms)} <span class="soft">{DOES[phase] ?? ''}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
