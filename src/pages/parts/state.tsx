/** state: how a run ended, or where it is, as a word with a mark that says the same as its colour. */
import { endOf as ended } from '../../domain/report.ts';
import type { PastRun } from '../../ledger/runs/pastRun.ts';

/** Marks by outcome; of one that is not known, none. */
const MARKS: Readonly<Record<string, readonly [mark: string, kind: 'good' | 'bad' | 'odd' | 'going']>> = {
  completed: ['✓', 'good'],
  failed: ['✕', 'bad'],
  refused: ['!', 'bad'],
  held: ['!', 'odd'],
  stopped: ['■', 'odd'],
  interrupted: ['■', 'odd'],
  skipped: ['–', 'odd'],
  active: ['▸', 'going'],
  stopping: ['■', 'going'],
  waiting: ['…', 'going'],
  delayed: ['…', 'going'],
};

/** One word; a dry run says so. */
export function StateWord({ state, dryRun = false }: { readonly state: string; readonly dryRun?: boolean }) {
  const [mark, kind] = MARKS[state] ?? ['', 'odd'];
  return (
    <span class={`state ${kind}`}>
      <span aria-hidden="true">{mark}</span> {state}
      {dryRun && <span class="dry"> (dry run)</span>}
    </span>
  );
}

/** How a run ended, or where it is, in a word. */
export function endOf({ outcome, state, report }: Pick<PastRun, 'outcome' | 'state' | 'report'>): string {
  if (state !== 'ended') return state;
  return outcome === 'completed' && report !== null ? ended(report) : (outcome ?? 'interrupted');
}
