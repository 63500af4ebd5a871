/** scene: coordinators whose heartbeats expire, and what earlier runs saw of them, written as runs leave it. */
import type { Redis } from 'ioredis';
import type { Sighting, Sightings as SightingsOfRun } from '../../src/domain/sighting.ts';
import { RunSightings, type RunSightingsOptions } from '../../src/ledger/sightings/runSightings.ts';
import { Sightings } from '../../src/ledger/sightings/sightings.ts';
import { type CleanOptions, clean } from '../support/cleanup.ts';
import { beat, keysIn, nowOf, writeAll } from '../support/world.ts';

export const SCHEMAS = ['swarm', 'flat', 'claude-flow-novice'] as const;
export type SchemaName = (typeof SCHEMAS)[number];

/** By the settings of these tests. */
export const THRESHOLD = 600;
export const LONG_AGO = 10 * THRESHOLD;
/** As the field has it: shorter than the threshold. */
const BEAT_TTL_SECONDS = 90;
const KEY = '{stalesweep}:sightings:default:0123456789ab';
const PLENTY = 32 * 1024 * 1024;

/** Somebody who was seen to beat, so many seconds ago. */
export interface Seen {
  readonly id: string;
  readonly swarm?: string;
  readonly agoSeconds: number;
}

/** Those of whom nothing was seen for far longer than the threshold. */
export function gone(...ids: string[]): Seen[] {
  return ids.map((id) => ({ id, agoSeconds: LONG_AGO }));
}

function hasSwarms(schema: SchemaName): boolean {
  return schema === 'swarm';
}

export function heartbeatOf(schema: SchemaName, id: string, swarm = 's1'): string {
  return hasSwarms(schema) ? `swarm:${swarm}:blocking:heartbeat:${id}` : `blocking:heartbeat:${id}`;
}

/** Every key of a coordinator, its heartbeat left out, in the order of their families. */
export function belongingsOf(schema: SchemaName, id: string, swarm = 's1'): string[] {
  return [
    `blocking:signal:${id}`,
    `blocking:ack:${id}:agent-1`,
    `blocking:ack:${id}:other:2`,
    `blocking:idempotency:${id}:init`,
    hasSwarms(schema) ? `swarm:${swarm}:agent:${id}:activity` : `coordinator:activity:${id}`,
    schema === 'flat' ? `blocking:state:${id}` : `swarm:${swarm}:blocking:${id}`,
  ];
}

/** How many keys of each family `belongingsOf` names. */
export const BELONGINGS = { signal: 1, ack: 2, idempotency: 1, activity: 1, state: 1 } as const;

/** A key that two coordinators share, as the field names it. */
export function sharedBy(sender: string, receiver: string): string {
  return `blocking:idempotency:${sender}:${receiver}:completion:0:1760000000000`;
}

/** What earlier runs saw, for one run. */
export function pastIn(redis: Redis, options: Partial<RunSightingsOptions> = {}): RunSightings {
  return new RunSightings(new Sightings(redis, KEY), { mostBytes: PLENTY, ...options });
}

/** Notes these in the place of whatever is there. */
export async function remember(redis: Redis, seen: readonly Seen[]): Promise<void> {
  const now = (await nowOf(redis)) / 1000;
  const past = pastIn(redis);
  for await (const block of past.earlier()) for (const _ of block);
  for (const { id, swarm, agoSeconds } of seen) noteIn(past, id, swarm, now - agoSeconds);
  await past.keep();
}

function whole(bytes: Buffer) {
  return { bytes, from: 0, to: bytes.length };
}

export function noteIn(past: SightingsOfRun, id: string, swarm: string | undefined, beatAtSeconds: number): void {
  past.see(whole(Buffer.from(id)), swarm === undefined ? null : whole(Buffer.from(swarm)), beatAtSeconds);
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

function seenIn({ coordinator, swarm, beatAtSeconds }: Sighting, now: number): Seen {
  return {
    id: text(coordinator),
    ...(swarm === null ? {} : { swarm: text(swarm) }),
    agoSeconds: now - beatAtSeconds,
  };
}

/** What the next run would learn, in the order of ids. */
export async function rememberedIn(redis: Redis): Promise<Seen[]> {
  const now = (await nowOf(redis)) / 1000;
  const seen: Seen[] = [];
  for await (const block of pastIn(redis).earlier()) for (const one of block) seen.push(seenIn(one, now));
  return seen.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Their names alone. */
export async function namesRemembered(redis: Redis): Promise<string[]> {
  return (await rememberedIn(redis)).map(({ id }) => id);
}

/** Writes everything of these but a heartbeat: that has expired; and what was seen of them. */
export async function lapse(redis: Redis, schema: SchemaName, seen: readonly Seen[]): Promise<void> {
  const keys = seen.flatMap(({ id, swarm }) => belongingsOf(schema, id, swarm));
  await writeAll(redis, Object.fromEntries(keys.map((key) => [key, '1'])));
  await remember(
    redis,
    seen.map(({ id, swarm = 's1', agoSeconds }) => ({ id, agoSeconds, ...(hasSwarms(schema) ? { swarm } : {}) })),
  );
}

/** The coordinator beats now. */
export async function beats(redis: Redis, schema: SchemaName, id: string, swarm?: string): Promise<void> {
  await redis.set(heartbeatOf(schema, id, swarm), beat(await nowOf(redis), id), 'EX', BEAT_TTL_SECONDS);
}

/** One that lives: everything of it, and its heartbeat. Its keys. */
export async function settle(redis: Redis, schema: SchemaName, id: string, swarm?: string): Promise<string[]> {
  const keys = belongingsOf(schema, id, swarm);
  await writeAll(redis, Object.fromEntries(keys.map((key) => [key, '1'])));
  await beats(redis, schema, id, swarm);
  return [heartbeatOf(schema, id, swarm), ...keys];
}

/** Every key there is but stalesweep's own, sorted. */
export async function leftIn(redis: Redis): Promise<string[]> {
  return (await keysIn(redis)).filter((key) => !key.startsWith('{stalesweep}'));
}

interface RunOptions extends CleanOptions {
  readonly schema?: SchemaName;
  /** Over which connection its sightings are kept, and how. */
  readonly queue?: Redis;
  readonly keeping?: Partial<RunSightingsOptions>;
}

/** One run that goes by what earlier ones saw; the server of a test has just started, which is no outage. */
export async function runWithPast(
  { url, redis }: { readonly url: string; readonly redis: Redis },
  { schema = 'flat', queue = redis, keeping = {}, settings, ...options }: RunOptions = {},
) {
  const warnings: string[] = [];
  const warn = (sentence: string) => warnings.push(sentence);
  const report = await clean(url, {
    settings: { schema, restartGrace: false, staleAfter: `${THRESHOLD}s`, ...settings },
    sightings: pastIn(queue, { warn, ...keeping }),
    observer: { warn },
    ...options,
  });
  return { report, warnings };
}
