/** outcome: what came of a run, in a sentence or two. */
import type { PastRun } from '../../ledger/runs/pastRun.ts';
import { amount, amountOf, bytesOf } from '../parts/amounts.ts';

function coordinators(count: number): string {
  return amountOf(count, 'coordinator');
}
function were(count: number): string {
  return count === 1 ? 'was' : 'were';
}

function removedSo({ removed }: PastRun): string {
  return removed.swept + removed.deleted === 0
    ? 'Nothing was removed.'
    : `Until then ${coordinators(removed.swept)} ${were(removed.swept)} swept, with ${amountOf(removed.deleted, 'thing')}.`;
}

/** A reason as a sentence. */
function sentence(reason: string): string {
  const text = reason.charAt(0).toUpperCase() + reason.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function completed(run: PastRun): string[] {
  const { report } = run;
  if (report === null) return [removedSo(run)];
  const { swept, stale, revived, active, checked, held, lapsed } = report.coordinators;
  const { found, deleted } = report.keys;
  const said: string[] = [];
  if (report.pass === 'none') {
    said.push('By the last look at everybody, nobody could be stale yet; so it looked at nobody, and removed nothing.');
  } else if (report.pass === 'due') {
    said.push(`It looked at ${coordinators(checked)}, those who could have been stale by now, and nobody was.`);
  } else if (checked === 0) said.push('It met no coordinator.');
  else if (run.dryRun) {
    said.push(
      stale === 0
        ? `Nobody was stale of ${coordinators(checked)}; nothing would have been removed.`
        : `${coordinators(stale)} of ${amount(checked)} would have been swept, with ${amountOf(found, 'thing')}; as a dry run it removed nothing.`,
    );
  } else if (swept === 0)
    said.push(`Nobody was swept: ${amount(active)} of ${coordinators(checked)} ${active === 1 ? 'is' : 'are'} active.`);
  else {
    const freed = report.redis.memoryFreedBytes;
    const isKept = (report.keys.trashed ?? 0) > 0;
    const memory = isKept ? ', to the trash' : freed > 0 ? `; that freed ${bytesOf(freed)}` : '';
    said.push(
      `${coordinators(swept)} of ${amount(checked)} ${were(swept)} swept, with ${amountOf(deleted, 'thing')}${memory}.`,
    );
  }
  if (!run.dryRun && swept === 0 && deleted > 0) said.push(`${amountOf(deleted, 'orphan')} went.`);
  if (revived > 0)
    said.push(`${coordinators(revived)} came back before anything of theirs was removed, and stayed whole.`);
  if ((lapsed ?? 0) > 0) said.push(`${coordinators(lapsed)} of the stale had no heartbeat any more.`);
  if ((held ?? 0) > 0) said.push(`${coordinators(held)} ${were(held)} held, since too many fell silent at once.`);
  return said;
}

/** In the order in which one reads it. */
export function sayOutcome(run: PastRun): readonly string[] {
  const { state, outcome, reason, removed } = run;
  if (state === 'active') {
    return [
      `It is under way; so far ${coordinators(removed.swept)} ${were(removed.swept)} swept, with ${amountOf(removed.deleted, 'thing')}.`,
    ];
  }
  const because = reason === null ? [] : [sentence(reason)];
  if (state === 'waiting') return [...because, 'It waits for its next attempt.', removedSo(run)];
  if (outcome === 'completed') return [...completed(run), ...because];
  if (outcome === 'skipped') return because;
  return [...because, removedSo(run)];
}
