/** probe: what `doctor` looks at in a target's keyspace. Writes nothing. */
import { readBeat } from '../domain/heartbeat.ts';
import { identify, type KeySchema } from '../domain/keySchema.ts';
import { Bulk } from './bulk.ts';
import type { Calls } from './calls.ts';
import { existing, readValues, scanPage } from './keyspace.ts';

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

const sampleHeartbeats = async (calls: Calls, keys: readonly Buffer[]): Promise<HeartbeatSample> => {
  if (keys.length === 0) return { read: 0, unreadable: 0, inSeconds: 0, shortestTtlSeconds: null };
  const { values } = await readValues(calls, Bulk.of(keys.map((key) => key.toString('latin1'))));
  const exist = await existing(calls, keys);
  const beats = values.map((value) => {
    const beat = value === null ? null : readBeat(value.toString('latin1'));
    return beat === null || 'why' in beat ? null : beat.beatAt;
  });
  const ttls = await Promise.all(
    keys.map(async (key) => {
      try {
        return Number((await calls.send('pttl', [key.toString('latin1')])).reply);
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
  const heartbeats: Buffer[] = [];
  let keys = 0;
  let cursor = '0';
  do {
    const page = await scanPage(calls, cursor, '*', PAGE);
    cursor = page.cursor;
    keys += page.keys.length;
    for (const key of page.keys) {
      const identity = identify(schema, key.toString('latin1'));
      if (identity === null) continue;
      const family = identity.heartbeat ? schema.heartbeatFamily : identity.family;
      byFamily[family] = (byFamily[family] ?? 0) + 1;
      if (identity.heartbeat && heartbeats.length < HEARTBEATS) heartbeats.push(key);
    }
  } while (cursor !== '0' && keys < most);
  return { keys, complete: cursor === '0', byFamily, heartbeats: await sampleHeartbeats(calls, heartbeats) };
};
