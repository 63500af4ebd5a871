/** clock: the target's own time, and since when its coordinators have been able to beat. */
import type { Clock } from '../../domain/heartbeat.ts';
import type { KeyCounts } from '../../domain/horizon.ts';
import { merged, type Outage } from '../../domain/outages.ts';
import type { Calls } from '../call/calls.ts';

export type Info = ReadonlyMap<string, string>;

/** The field that says since when a server is there. */
export const UPTIME = 'uptime_in_seconds';

/** INFO's fields by name. */
export function infoIn(reply: string): Info {
  const fields = new Map<string, string>();
  for (const line of reply.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

/** INFO, read now. */
export async function readInfo(calls: Calls): Promise<Info> {
  return infoIn(String((await calls.send('info', [])).reply));
}

/** TIME, in whole seconds (P5). */
export async function readSeconds(calls: Calls): Promise<number> {
  const { reply } = await calls.send('time', []);
  return Number((reply as string[])[0]);
}

/**
 * For how long coordinators have been able to beat, in seconds; `null` when the server did not come back with old
 * data (P10). A server too old to tell what it loaded is taken for one that loaded something.
 */
export function upSecondsOf(info: Info): number | null {
  const loaded = info.get('rdb_last_load_keys_loaded');
  const startedEmpty = loaded === '0' && info.get('aof_enabled') === '0';
  return startedEmpty ? null : Number(info.get(UPTIME) ?? 0);
}

function keysIn(field = ''): number {
  return Number(/keys=(\d+)/.exec(field)?.[1] ?? 0);
}

/** What is said of one database. */
export function countsOf(info: Info, db: number): KeyCounts {
  const field = info.get(`db${db}`);
  return { keys: keysIn(field), expiring: Number(/expires=(\d+)/.exec(field ?? '')?.[1] ?? 0) };
}

/** How many keys there are in all databases together; near enough to tell how far a walk has come. */
export function keyspaceSizeOf(info: Info): number {
  return [...info].reduce((sum, [name, value]) => sum + (/^db\d+$/.test(name) ? keysIn(value) : 0), 0);
}

export function usedMemoryBytesOf(info: Info): number {
  return Number(info.get('used_memory') ?? 0);
}

/** @param outages what was seen of times in which nobody could beat */
export function clockOf(nowSeconds: number, info: Info, restartGrace: boolean, outages: readonly Outage[] = []): Clock {
  return {
    nowSeconds,
    upSeconds: restartGrace ? upSecondsOf(info) : null,
    outages: restartGrace ? merged(outages) : [],
  };
}

/** The same clock where silence counts from this instant on at the earliest, in ms. */
export function clockSince(clock: Clock, sinceMs: number): Clock {
  const seconds = Math.max(0, clock.nowSeconds - Math.floor(sinceMs / 1000));
  return { ...clock, upSeconds: Math.min(clock.upSeconds ?? seconds, seconds) };
}

/** From this share of its memory on a server that has dropped keys may be at it again: it drops no more than it must. */
const FULL = 0.9;

/** Whether a server drops keys for want of memory; one that does not say does not. Keys that expire soonest may go first. */
export function isEvicting(info: Info): boolean {
  const [most, dropped] = [Number(info.get('maxmemory') ?? 0), Number(info.get('evicted_keys') ?? 0)];
  if (info.get('maxmemory_policy') === 'noeviction' || most === 0 || dropped === 0) return false;
  return usedMemoryBytesOf(info) >= FULL * most;
}

/**
 * The clock for coordinators that have no heartbeat any more: they may have lost it with a server that came back empty, so
 * their silence counts from its return in any case (P10, P11). While a server drops keys they are not silent at all: each beat may be
 * gone before anybody looks.
 */
export function lapsedClockOf(clock: Clock, info: Info, restartGrace: boolean): Clock {
  if (isEvicting(info)) return { ...clock, upSeconds: 0, evicts: true };
  return {
    ...clock,
    upSeconds: restartGrace ? Number(info.get(UPTIME) ?? 0) : null,
  };
}
