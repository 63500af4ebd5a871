/** restore title: what is to be given back: all that a run took, or what one coordinator had left. */
import type { PastRun } from '../../ledger/runs/pastRun.ts';

/** @param id `null`: everything of the run */
export function RestoreTitle({ run, id }: { readonly run: PastRun; readonly id: string | null }) {
  return (
    <h1>
      Give back {id === null ? 'everything that run ' : 'what was left of '}
      <span class="id">{id ?? run.run}</span>
      {id === null ? ' took' : ''}
    </h1>
  );
}
