/** phases: how long a run was in each of its phases, as a bar and in words, which say the same. */
import type { PastRun } from '../../ledger/runs/pastRun.ts';
import { tookOf } from '../parts/amounts.ts';

/** What each does. */
const DOES: Readonly<Record<string, string>> = {
  mark: 'finds the stale ones',
  gather: 'finds what they left',
  sweep: 'removes it',
};
/** A phase that took less is no part of the picture, in ms. */
const LEAST_MS = 1;
const GAP = 0.4;

/** Nothing where the run was in none, or too quick. */
export function PhaseLine({ run: { phases = {} } }: { readonly run: Pick<PastRun, 'phases'> }) {
  const spent = Object.entries(phases).filter(([, ms]) => ms >= LEAST_MS);
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
