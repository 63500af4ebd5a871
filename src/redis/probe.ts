/** probe: what `doctor` asks a target. Writes nothing: what it removes to see whether it may is a key that can't exist. */
import { randomUUID } from 'node:crypto';
import { beatAtOf } from '../domain/heartbeat.ts';
import { identify, type KeySchema } from '../domain/keySchema.ts';
import { derive } from '../domain/template.ts';
import type { Calls } from './calls.ts';
import { existing, readValues, scanPage } from './keyspace.ts';

/** The commands a run needs, in this schema's keys, that the user may not use. */
export const refusedCommands = async (calls: Calls, schema: KeySchema): Promise<readonly string[]> => {
  const nobody = derive(schema.heartbeat, { coordinator: randomUUID(), swarm: randomUUID() });
  const needed: readonly (readonly [string, readonly (string | number)[]])[] = [
    ['info', []],
    ['time', []],
    ['scan', ['0', 'MATCH', nobody, 'COUNT', 1]],
    ['mget', [nobody]],
    ['exists', [nobody]],
    ['unlink', [nobody]],
    ['eval', ["return redis.call('EXISTS', KEYS[1])", 1, nobody]],
    ['evalsha', ['0'.repeat(40), 1, nobody]],
    ...(schema.orphanFamilies.size > 0 ? [['object', ['IDLETIME', nobody]] as const] : []),
  ];
  const refused: string[] = [];
  for (const [name, args] of needed) {
    try {
      await calls.send(name, args);
    } catch (error) {
      if (error instanceof Error && /NOPERM/.test(error.message)) refused.push(name);
    }
  }
  return refused;
};

export interface KeyspaceSample {
  /** Keys looked at; the whole database when `complete`. */
  readonly keys: number;
  readonly complete: boolean;
  /** Keys of each family, the heartbeats among them. */
  readonly byFamily: readonly number[];
  readonly heartbeats: HeartbeatSample;
}

export interface HeartbeatSample {
  readonly read: number;
  readonly unreadable: number;
  /** Their timestamps look like seconds, which read as milliseconds lie in January 1970. */
  readonly inSeconds: number;
  /** The shortest time to live among those that have one, in seconds. */
  readonly shortestTtlSeconds: number | null;
}

/** From September 2001 to the year 2286, counted in seconds. */
const SECONDS_RANGE = { least: 1e9, most: 1e10 };
const PAGE = 1_000;
const HEARTBEATS = 200;

const sampleHeartbeats = async (calls: Calls, keys: readonly string[]): Promise<HeartbeatSample> => {
  if (keys.length === 0) return { read: 0, unreadable: 0, inSeconds: 0, shortestTtlSeconds: null };
  const { values } = await readValues(calls, keys);
  const exist = await existing(calls, keys);
  const beats = values.map((value) => (value === null ? null : beatAtOf(value)));
  const ttls = await Promise.all(
    keys.map(async (key) => {
      try {
        return Number((await calls.send('pttl', [key])).reply);
      } catch {
        return -1;
      }
    }),
  );
  const limited = ttls.filter((ttl) => ttl >= 0);
  return {
    read: exist.filter(Boolean).length,
    unreadable: beats.filter((beat, i) => beat === null && exist[i]).length,
    inSeconds: beats.filter((beat) => beat !== null && beat >= SECONDS_RANGE.least && beat < SECONDS_RANGE.most).length,
    shortestTtlSeconds: limited.length === 0 ? null : Math.ceil(Math.min(...limited) / 1000),
  };
};

/** Looks at up to `most` keys, in bounded pages. */
export const sampleKeyspace = async (calls: Calls, schema: KeySchema, most: number): Promise<KeyspaceSample> => {
  const byFamily = schema.families.map(() => 0);
  const heartbeats: string[] = [];
  let keys = 0;
  let cursor = '0';
  do {
    const page = await scanPage(calls, cursor, '*', PAGE);
    cursor = page.cursor;
    keys += page.keys.length;
    for (const key of page.keys) {
      const identity = identify(schema, key);
      if (identity === null) continue;
      const family = identity.heartbeat ? schema.heartbeatFamily : identity.family;
      byFamily[family] = (byFamily[family] ?? 0) + 1;
      if (identity.heartbeat && heartbeats.length < HEARTBEATS) heartbeats.push(key);
    }
  } while (cursor !== '0' && keys < most);
  return { keys, complete: cursor === '0', byFamily, heartbeats: await sampleHeartbeats(calls, heartbeats) };
};
