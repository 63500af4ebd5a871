/** ownership: what may happen to a key, given everyone who could own it (P2). */
import { heartbeatKeyOf } from '../domain/keySchema.ts';
import type { Owner } from '../domain/template.ts';
import { type Census, type Heartbeat, NO_HEARTBEAT, State } from './census.ts';
import { MOST_KEYS } from '../redis/sweep.ts';
import { NOBODY } from './roster.ts';

/**
 * - `keep`: it could belong to an active or unreadable coordinator, or an earlier round has dealt with it.
 * - `later`: none of its owners lives, and one of them is stale but belongs to a later round: it goes then.
 * - `orphan`: none of its owners has a heartbeat.
 * - `go`: at least one owner is stale and none lives; with the proof that must travel with the removal.
 */
export type Verdict =
  | { readonly kind: 'keep' | 'later' }
  | { readonly kind: 'orphan'; readonly absent: readonly string[] }
  | { readonly kind: 'go'; readonly judged: readonly Heartbeat[]; readonly absent: readonly string[] };

/** Nobody needs to know of more stale heartbeats of one id: no call could hold them all. */
const MORE_THAN_FIT = MOST_KEYS + 1;

/** An owner who belongs to another round: all that is known is whether they may live, or may be waiting. */
const elsewhere = (
  { rounds }: Census,
  owner: Owner,
  heartbeatKey: string | null,
  at: { readonly hash: number; readonly bytes: Buffer; readonly length: number },
): 'keep' | 'later' | 'settled' | 'absent' => {
  const byPair = owner.swarm !== null && heartbeatKey !== null;
  const living = byPair ? rounds.pairMayLive(heartbeatKey) : rounds.mayLive(at.hash, at.bytes, 0, at.length);
  if (living) return 'keep';
  const stale = byPair ? rounds.pairMayWait(heartbeatKey) : rounds.mayWait(at.hash, at.bytes, 0, at.length);
  if (!stale) return 'absent';
  return rounds.roundOf(at.hash) < rounds.current ? 'settled' : 'later';
};

export const verdictOn = (census: Census, owners: readonly Owner[]): Verdict => {
  const judged: (readonly Heartbeat[])[] = [];
  const absent = new Set<string>();
  let later = false;
  // With a stale owner of an earlier round it went then, or was counted by a dry run, unless somebody is stale here.
  let settled = false;
  for (const owner of owners) {
    const heartbeatKey = heartbeatKeyOf(census.schema, owner);
    const found = census.lookUp(owner.coordinator);
    if (!census.isHere(found.hash)) {
      const known = elsewhere(census, owner, heartbeatKey, found);
      if (known === 'keep') return { kind: 'keep' };
      if (known === 'later') later = true;
      else if (heartbeatKey !== null) absent.add(heartbeatKey);
      if (known === 'settled') settled = true;
      continue;
    }
    // A key without a swarm in its name could belong to the id in any swarm; one with a swarm only to that one.
    if (owner.swarm === null || heartbeatKey === null) {
      if (found.id !== NOBODY && census.lives(found.id)) return { kind: 'keep' };
      const stale = found.id === NOBODY ? [] : census.staleOf(found.id, MORE_THAN_FIT);
      if (stale.length > 0) judged.push(stale);
      else if (heartbeatKey !== null) absent.add(heartbeatKey);
      continue;
    }
    const heartbeat = census.heartbeatOf(owner);
    const state = heartbeat === NO_HEARTBEAT ? State.gone : census.stateOf(heartbeat);
    if (state === State.active || state === State.unreadable) return { kind: 'keep' };
    if (state === State.stale) judged.push([heartbeat]);
    else absent.add(heartbeatKey);
  }
  if (later) return { kind: 'later' };
  const [proof] = judged;
  if (proof === undefined && settled) return { kind: 'keep' };
  if (proof === undefined) return { kind: 'orphan', absent: [...absent] };
  return { kind: 'go', judged: judged.length === 1 ? proof : [...new Set(judged.flat())], absent: [...absent] };
};
