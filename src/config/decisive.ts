/** decisive: the settings of a target that decide who goes, and of whom it is said. Where processes on one queue differ in them, it depends on
 * who takes a run whether somebody lives. */
import { createHash } from 'node:crypto';
import type { TargetConfig } from './resolve.ts';

const DIGITS = 8;

/** What each is set to, as a digest, by name. */
export type Decisive = Readonly<Record<string, string>>;

export function decisiveOf(target: TargetConfig): Decisive {
  const { mode, maxStale, maxStaleFraction, suddenSilence, protect, orphans, restartGrace, trash } = target;
  const { staleAfterSeconds: staleAfter, minStaleAfterSeconds: minStaleAfter } = target;
  const settings = { staleAfter, minStaleAfter, mode, protect: protect.toSorted(), orphans: orphans.toSorted() };
  const guards = { maxStale: maxStale ?? null, maxStaleFraction, suddenSilence, restartGrace, trash };
  return Object.fromEntries(
    Object.entries({ ...settings, ...guards }).map(([name, value]) => [
      name,
      createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, DIGITS),
    ]),
  );
}

/** Which of these settings others have otherwise. What only one of the two knows, as an older version does, tells nothing. */
export function differing(ours: Decisive, theirs: Decisive): readonly string[] {
  return Object.keys(ours).filter((name) => theirs[name] !== undefined && theirs[name] !== ours[name]);
}
