/** judgement: what becomes of a coordinator in this run, by what was read of its heartbeat. The only place that says so. */
import { type Clock, judge, silentSeconds, type Why } from '../../domain/heartbeat.ts';
import { ABSENT, type Reading } from '../../domain/reading.ts';
import { readSeconds } from '../../redis/target/clock.ts';
import { isIdOf } from '../../schema/keySchema.ts';
import type { Found } from '../../store/records.ts';
import type { Run, RunContext } from '../context.ts';
import { type State, stateOf } from '../guards/state.ts';

/** `beatAt` is in ms since the epoch, by the clock of whoever beat. */
export type Judged =
  | { readonly state: State; readonly beatAt: number; readonly silentSeconds: number }
  | { readonly state: 'unreadable'; readonly why: Why };

/** One that lies ahead of the clock, which was read as the run began. */
const AHEAD = 'ahead';

function judgedBy(run: Run, found: Found, reading: Reading, clock: Clock, present: boolean): Judged | typeof AHEAD {
  if (!isIdOf(run.schema, found.idSegments)) return { state: 'unreadable', why: 'id-shape' };
  const judgement = judge(reading, clock, run.staleAfterSeconds);
  if (judgement.state === 'unreadable') return judgement;
  if (judgement.state === 'ahead') return present ? { state: 'unreadable', why: 'future' } : AHEAD;
  const { beatAt } = judgement;
  // Who beat after the run began is active, however long ago that is by now: the walk may have missed keys of it (P3).
  if (present) return { state: 'active', beatAt, silentSeconds: 0 };
  return { state: stateOf(run, found.id, beatAt, clock), beatAt, silentSeconds: silentSeconds(beatAt, clock) };
}

/** Judges what was read of these heartbeats, and tells of each but those that are absent. */
export async function judgeEach<F extends Found>(
  run: RunContext,
  heartbeats: readonly F[],
  readings: readonly Reading[],
  tell: (found: F, reading: Reading, judged: Judged) => void,
): Promise<void> {
  const { node } = run;
  const ahead: { readonly found: F; readonly reading: Reading }[] = [];
  for (const [i, found] of heartbeats.entries()) {
    const reading = readings[i] ?? ABSENT;
    if (reading === ABSENT) continue;
    const judged = judgedBy(run, found, reading, node.clock, false);
    if (judged === AHEAD) ahead.push({ found, reading });
    else tell(found, reading, judged);
  }
  if (ahead.length === 0) return;
  // They may have beaten since the run read the clock: only the present can tell that from a wrong clock.
  const present = { ...node.clock, nowSeconds: await node.steadily('read', () => readSeconds(node.calls)) };
  for (const { found, reading } of ahead) {
    tell(found, reading, judgedBy(run, found, reading, present, true) as Judged);
  }
}
