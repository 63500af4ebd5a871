/** probe: what there is in a target's keyspace, by a sample of it. Writes nothing. */
import { judge } from '../../domain/heartbeat.ts';
import { OTHER_TYPE } from '../../domain/reading.ts';
import type { UnreadableGroup } from '../../domain/report.ts';
import { Unreadable } from '../../domain/unreadable.ts';
import { isOwn, type KeyKind, KeyReader } from '../../schema/keyReader.ts';
import { compileSchema, isIdOf, type KeySchema } from '../../schema/keySchema.ts';
import { SHIPPED_SCHEMAS } from '../../schema/shipped.ts';
import { Bulk } from '../call/bulk.ts';
import type { Reply } from '../call/wire.ts';
import type { Calls } from '../call/calls.ts';
import type { Advice } from './advice.ts';
import { existing, readValues, scanPage } from './keyspace.ts';
import { ScanEnd } from './scanEnd.ts';
import { Strangers } from './strangers.ts';

export interface KeyspaceSample {
  /** Keys looked at; the whole database when `complete`. */
  readonly keys: number;
  readonly complete: boolean;
  /** Keys of each family, the heartbeats among them. */
  readonly byFamily: readonly number[];
  readonly heartbeats: HeartbeatSample;
  /** What to tell of those who beat by another schema. */
  readonly strangers: readonly Advice[];
}

export interface HeartbeatSample {
  readonly read: number;
  /** Those that can't be judged, by reason. */
  readonly unreadable: readonly UnreadableGroup[];
  /**
   * How long heartbeats live from one beat on, in whole seconds: the shortest of what is left of their time to live and what
   * has passed of it since their beat. `null` when none that can be judged has a time to live.
   */
  readonly shortestTtlSeconds: number | null;
}

/** How many keys a sample looks at. */
export const SAMPLED_KEYS = 20_000;
const PAGE = 1_000;
const HEARTBEATS = 200;
/** Unreadable heartbeats that are named for each reason. */
const NAMES = 3;

/** What is left of each key's time to live, in ms; negative where there is none, or where the user may not ask. */
async function readTtls(calls: Calls, keys: readonly Buffer[]): Promise<readonly number[]> {
  const { replies } = await calls.sendTogether(keys.map((key) => ['pttl', [key.toString('latin1')]] as const));
  return replies.map((reply) => (typeof reply === 'number' ? reply : -1));
}

async function readMs(calls: Calls): Promise<number> {
  const [seconds, micros] = (await calls.send('time', [])).reply as Reply[];
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}

async function sampleHeartbeats(calls: Calls, reader: KeyReader, keys: readonly Buffer[]): Promise<HeartbeatSample> {
  if (keys.length === 0) return { read: 0, unreadable: [], shortestTtlSeconds: null };
  const { values } = await readValues(calls, Bulk.of(keys.map((key) => key.toString('latin1'))));
  const exist = await existing(calls, keys);
  const ttls = await readTtls(calls, keys);
  // Last: whatever lies after it was not written since.
  const nowMs = await readMs(calls);
  const clock = { nowSeconds: Math.floor(nowMs / 1000), upSeconds: null, outages: [] };
  const unreadable = new Unreadable(NAMES);
  let read = 0;
  let shortestMs = Number.POSITIVE_INFINITY;
  for (const [i, key] of keys.entries()) {
    const value = values[i] ?? null;
    if (value === null && !exist[i]) continue;
    read++;
    reader.read(key);
    if (!isIdOf(reader.schema, reader.idSegments)) {
      unreadable.add('id-shape', key);
      continue;
    }
    const judgement = judge(value ?? OTHER_TYPE, clock, Number.POSITIVE_INFINITY);
    if (judgement.state === 'unreadable') unreadable.add(judgement.why, key);
    else if (judgement.state === 'ahead') unreadable.add('future', key);
    else if ((ttls[i] ?? -1) >= 0) shortestMs = Math.min(shortestMs, (ttls[i] ?? 0) + nowMs - judgement.beatAt);
  }
  const shortestTtlSeconds = Number.isFinite(shortestMs) ? Math.round(shortestMs / 1000) : null;
  return { read, unreadable: unreadable.groups, shortestTtlSeconds };
}

/**
 * Up to `most` keys, in bounded pages; returns whether these were all. Rests between pages as the target wishes. Fails (`RUN_FAILED`)
 * where they would never end.
 */
async function* pagesOf(calls: Calls, most: number): AsyncGenerator<readonly Buffer[], boolean> {
  let cursor = '0';
  let keys = 0;
  const end = new ScanEnd(0);
  do {
    const page = await scanPage(calls, cursor, '*', PAGE);
    cursor = page.cursor;
    keys += page.keys.length;
    end.note(cursor, page.count, page.keys.length);
    yield page.keys;
    await calls.rest.take();
  } while (cursor !== '0' && keys < most);
  return cursor === '0';
}

/** The family of the name that was read last, by position; `null` where no template fits. */
function familyOf({ schema, template }: KeyReader, kind: KeyKind): number | null {
  if (kind === 'heartbeat') return schema.heartbeatFamily;
  return kind === 'remain' ? (schema.templates[template]?.family ?? null) : null;
}

/** Looks at up to `most` keys. */
export async function sampleKeyspace(calls: Calls, schema: KeySchema, most: number): Promise<KeyspaceSample> {
  const byFamily = schema.families.map(() => 0);
  const heartbeats: Buffer[] = [];
  const reader = new KeyReader(schema, true);
  const strangers = new Strangers(schema);
  const pages = pagesOf(calls, most);
  let keys = 0;
  let page = await pages.next();
  for (; !page.done; page = await pages.next()) {
    keys += page.value.length;
    for (const key of page.value) {
      const family = familyOf(reader, reader.read(key));
      if (family === null) {
        strangers.note(key);
        continue;
      }
      byFamily[family] = (byFamily[family] ?? 0) + 1;
      if (family === schema.heartbeatFamily && heartbeats.length < HEARTBEATS) heartbeats.push(key);
    }
  }
  const sampled = await sampleHeartbeats(calls, reader, heartbeats);
  return { keys, complete: page.value, byFamily, heartbeats: sampled, strangers: strangers.advice() };
}

/** How well a schema fits a sample: how many heartbeats of it, and how many keys in all. */
interface Fit {
  readonly reader: KeyReader;
  heartbeats: number;
  keys: number;
}

/**
 * What to tell whoever's schema no heartbeat fits: looks at up to 20,000 keys and names the shipped schema that most
 * heartbeats there fit, whether they can be judged or not, and of those that fit equally many the one that fits most keys.
 * `null` when the sample holds heartbeats of the schema, or no key but stalesweep's own, or once `signal` is aborted.
 */
export async function adviseSchema(calls: Calls, schema: KeySchema, signal?: AbortSignal): Promise<Advice | null> {
  const own = new KeyReader(schema);
  const fits: Fit[] = Object.entries(SHIPPED_SCHEMAS)
    .filter(([name]) => name !== schema.name)
    .map(([name, definition]) => ({
      reader: new KeyReader(compileSchema(name, definition), true),
      heartbeats: 0,
      keys: 0,
    }));
  const pages = pagesOf(calls, SAMPLED_KEYS);
  let keys = 0;
  let page = await pages.next();
  for (; !page.done; page = await pages.next()) {
    if (signal?.aborted) return null;
    for (const key of page.value) {
      if (isOwn(key)) continue;
      keys++;
      if (own.read(key) === 'heartbeat') return null;
      for (const fit of fits) {
        const kind = fit.reader.read(key);
        if (kind === 'heartbeat') fit.heartbeats++;
        if (kind !== 'foreign') fit.keys++;
      }
    }
  }
  if (keys === 0) return null;
  const looked = page.value ? `all ${keys} keys` : `the first ${keys} keys`;
  const message = `${looked} hold no heartbeat of schema "${schema.name}" (${schema.heartbeat.text})`;
  return { message, advice: adviceOf(fits) };
}

function adviceOf(fits: readonly Fit[]): string {
  const [best, ...others] = fits.toSorted((a, b) => b.heartbeats - a.heartbeats || b.keys - a.keys);
  if (best === undefined || best.heartbeats === 0) {
    return 'check the database number in the URL, or write the schema of your keys in the configuration file';
  }
  const names = [best, ...others.filter((one) => one.heartbeats === best.heartbeats && one.keys === best.keys)].map(
    ({ reader }) => `"${reader.schema.name}"`,
  );
  return `there are heartbeats of schema ${names.join(' or ')}: set STALESWEEP_SCHEMA=${best.reader.schema.name}`;
}
