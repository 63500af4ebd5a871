/** sweep: the door to `lua/sweep.lua`. */
import type { Failure } from '../domain/failure.ts';
import { Bulk } from './call/bulk.ts';
import type { Calls } from './call/calls.ts';
import { callScript, loadScript } from './call/script.ts';
import type { Argument } from './call/wire.ts';
import { type Announcement, headOf, knownIn, partOf, TAIL, tokenOf } from './removal/announcement.ts';
import type { Trash } from './trash/names.ts';

const SCRIPT = loadScript('sweep');

export interface SweepChunk {
  /** Heartbeats and, in the same order, the proofs (`kinds/proof`) of the values they were judged by, for every removal (P1). */
  readonly judged: { readonly keys: Bulk; readonly proofs: Bulk };
  /** Heartbeats that must not exist. */
  readonly absent: Bulk;
  /** Keys to remove, family by family. */
  readonly families: readonly Bulk[];
  /** Of which families it is to be told which keys were not there, by position; where only some were, that takes Redis half as long again. */
  readonly told: readonly boolean[];
  /** How many of the judged heartbeats go too, the first ones, after everything else (P3). */
  readonly heartbeats: number;
  /** How much work it is for Redis, in keys of ordinary names: values that are compared count by their bytes. Left out: as many as it sends. */
  readonly weight?: number;
  /** Where all that goes is kept for a while; left out or `null`: it goes for good. */
  readonly trash?: Trash | null;
  /** What is said in the same step; left out or `null`: nothing. */
  readonly announcement?: Announcement | null;
}

export type SweepResult =
  | {
      readonly swept: true;
      /** How many keys of each family were removed; empty where the answer that told it was lost. */
      readonly removed: readonly number[];
      readonly heartbeats: number;
      /** Positions of the keys that were not there, all families counted through: of those that were to be told. */
      readonly missing: readonly number[];
      /** Why its heartbeats had to stay though all was as judged: with it the run ends, once what went is counted. Left out: they have not. */
      readonly unsettled?: Failure;
      readonly ms: number;
    }
  | {
      readonly swept: false;
      /** Positions in `judged` of heartbeats that hold another value now. */
      readonly revived: readonly number[];
      /** Positions in `judged` of heartbeats that are gone. */
      readonly vanished: readonly number[];
      /** Positions in `absent` of heartbeats that exist. */
      readonly born: readonly number[];
      readonly ms: number;
    };

/** How many keys and values a chunk sends; it must stay below `MOST_KEYS`. */
export function keysIn({ judged, absent, families }: SweepChunk): number {
  return judged.keys.count + absent.count + families.reduce((sum, keys) => sum + keys.count, 0);
}

/** So many keys take Redis about 7 ms: how large a call grows where the call budget allows it. */
export const MOST_KEYS = 7_900;
/** What the script takes at most, for the sake of proofs that can't be cut. */
export const MOST_KEYS_EVER = 20_000;

/** The heartbeats of a chunk that go. */
export function goingOf({ judged, heartbeats }: SweepChunk): Bulk {
  const going = new Bulk();
  let at = 0;
  judged.keys.forEach((bytes, from, to) => {
    if (at++ < heartbeats) going.add(bytes, from, to);
  });
  return going;
}

/**
 * Removes a chunk's keys if each heartbeat is as it was judged; otherwise removes nothing and says which are not.
 * @param until nothing is done, and an error returned (`LATE`), after this second of the server's clock; 0: it is done at any time
 */
export async function sweep(calls: Calls, chunk: SweepChunk, until = 0): Promise<SweepResult> {
  const { judged, absent, families, announcement = null } = chunk;
  const count = judged.keys.count;
  const countOf = (keys: Bulk, family: number) => (chunk.told[family] ? -keys.count : keys.count);
  const trash = trashOf(chunk);
  const { reply, ms } = await callScript(
    calls,
    SCRIPT,
    [judged.keys, absent, ...families, ...trash.keys, ...announcedIn(announcement)],
    [
      ...[count, absent.count, chunk.heartbeats, trash.keepMs],
      ...announcedBy(announcement),
      ...[until, families.length, ...families.map(countOf)],
      judged.proofs,
      ...(announcement === null ? [] : [partsOf(announcement)]),
    ],
  );
  for (const names of trash.keys) names.clear();
  const [changed = 0, ...rest] = reply as number[];
  if (changed === 0) {
    const removed = rest.slice(0, families.length);
    const missing = rest.slice(families.length + 1).map((at) => at - count - absent.count - 1);
    return { swept: true, removed, heartbeats: rest[families.length] ?? 0, missing, ms };
  }
  return {
    swept: false,
    revived: rest.filter((at) => at > 0 && at <= count).map((at) => at - 1),
    vanished: rest.filter((at) => at < 0).map((at) => -at - 1),
    born: rest.filter((at) => at > count).map((at) => at - count - 1),
    ms,
  };
}

function trashOf(chunk: SweepChunk): { readonly keepMs: number; readonly keys: readonly Bulk[] } {
  const { trash, families } = chunk;
  if (!trash) return { keepMs: 0, keys: [] };
  const { names, ttls } = trash.send([...families, goingOf(chunk)]);
  return { keepMs: trash.keepMs, keys: [names, Bulk.of([ttls])] };
}

function announcedIn(announcement: Announcement | null): readonly Bulk[] {
  if (announcement === null) return [];
  const { where, once } = announcement;
  const stream = 'stream' in where ? [where.stream] : [];
  return [Bulk.of([...stream, ...knownIn(announcement).sets, ...(once === null ? [] : [once])])];
}

function announcedBy(announcement: Announcement | null): readonly Argument[] {
  if (announcement === null) return ['', '', '', 0, 0];
  const { where } = announcement;
  const [channel, most] = 'channel' in where ? [where.channel, 0] : ['', where.maxLength];
  return [headOf(announcement), TAIL, channel, most, knownIn(announcement).ms];
}

/** What stands for each, and what is said of it. */
function partsOf({ coordinators }: Announcement): Bulk {
  return Bulk.of(coordinators.flatMap((one) => [tokenOf(one), partOf(one)]));
}

/**
 * Calls the script with nothing to sweep: to prove a heartbeat that can't exist, and that another one does not; resolves to the error
 * that stands in the way, or `null`. Never throws.
 */
export async function askWhetherScriptsRun(calls: Calls, nobodys: string, others: string): Promise<Error | null> {
  const question = [2, nobodys, others, 1, 1, 0, 0, '', '', '', 0, 0, 0, 0, 'no proof'];
  const ask = async (name: string, script: string) => {
    const { replies } = await calls.sendTogether([[name, [script, ...question]]]);
    return replies[0] instanceof Error ? replies[0] : null;
  };
  const error = await ask('evalsha', SCRIPT.sha1);
  return error?.message.startsWith('NOSCRIPT') ? await ask('eval', SCRIPT.source) : error;
}
