/** due: a look at those alone who could be stale by now, as a horizon lists them.
 *  Promises  reads only, and only them, as many at a time as a call may handle; says that somebody may be stale, never who goes.
 */
import { type Clock, judge, silentSeconds } from '../../domain/heartbeat.ts';
import type { Listed } from '../../domain/horizon.ts';
import { protectionOf } from '../../domain/protection.ts';
import { ABSENT, type Reading } from '../../domain/reading.ts';
import { readSeconds } from '../../redis/target/clock.ts';
import { StringHeartbeats } from '../../redis/kinds/stringHeartbeats.ts';
import type { Reader } from '../../redis/target/reader.ts';
import type { Contact } from '../../redis/target/contact.ts';
import { KeyReader } from '../../schema/keyReader.ts';
import { isIdOf } from '../../schema/keySchema.ts';
import type { Tally } from '../tally/tally.ts';

export interface DueLook {
  readonly nowSeconds: number;
  readonly staleAfterSeconds: number;
  /** Counts those who are there. */
  readonly tally: Tally;
}

/** What has become of one: it is silent since when, nobody's worry any more, or only a full pass can tell. */
type Fate = Listed | 'settled' | 'unclear';

/** Since when those are silent who live; `null`, once a full pass has to tell of one, or the run was told to end. */
export async function lookAtDue(
  contact: Contact,
  due: readonly Listed[],
  look: DueLook,
  signal: AbortSignal,
): Promise<readonly Listed[] | null> {
  const reader = await contact.reader(signal);
  const heartbeats = new StringHeartbeats(reader);
  const fateOf = fatesOf(contact, reader, look);
  const still: Listed[] = [];
  for (let from = 0; from < due.length; ) {
    if (signal.aborted) return null;
    const keys = due.slice(from, from + heartbeats.most).map(({ key }) => Buffer.from(key));
    from += keys.length;
    const readings = await heartbeats.read(keys);
    for (const [i, key] of keys.entries()) {
      const fate = await fateOf(key, readings[i] ?? ABSENT);
      if (fate === 'unclear') return null;
      if (fate !== 'settled') still.push(fate);
    }
    await reader.calls.rest.take();
  }
  return still;
}

function fatesOf(
  { settings: { schema, protect } }: Contact,
  { calls, steadily }: Reader,
  { nowSeconds, staleAfterSeconds, tally }: DueLook,
): (key: Buffer, reading: Reading) => Promise<Fate> {
  // Of restarts and outages since the pass there were none; who beat before them and not since is due, and so unclear.
  const clock: Clock = { nowSeconds, upSeconds: null, outages: [] };
  const names = new KeyReader(schema);
  const isProtected = protectionOf(protect);
  const active = (silence: number): void => {
    tally.active++;
    tally.addSilence(silence, staleAfterSeconds);
  };
  return async (key, reading) => {
    if (reading === ABSENT) return 'settled';
    if (names.read(key) !== 'heartbeat' || !isIdOf(schema, names.idSegments)) return 'unclear';
    tally.met++;
    const judgement = judge(reading, clock, staleAfterSeconds);
    if (judgement.state === 'ahead') {
      // It may have beaten since the run read the clock.
      const present = await steadily('read', async () => await readSeconds(calls));
      if (judge(reading, { ...clock, nowSeconds: present }, staleAfterSeconds).state !== 'ahead') {
        active(0);
        return 'settled';
      }
    }
    if (judgement.state === 'unreadable' || judgement.state === 'ahead') {
      tally.unreadable++;
      tally.unreadableByWhy.add('why' in judgement ? judgement.why : 'future', key);
      return 'settled';
    }
    const silence = silentSeconds(judgement.beatAt, clock);
    if (judgement.state === 'active') {
      active(silence);
      return { key, sinceSeconds: nowSeconds - silence };
    }
    if (!isProtected(key.toString('latin1', names.idFrom, names.idTo))) return 'unclear';
    tally.protected++;
    tally.addSilence(silence, staleAfterSeconds);
    return 'settled';
  };
}
