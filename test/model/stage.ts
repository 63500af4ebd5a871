/** stage: a Redis to write worlds on: its users, and how keys are written and read back, byte for byte. */
import type { Redis } from 'ioredis';
import type { Report } from '../../src/domain/report.ts';
import { RunSightings } from '../../src/ledger/sightings/runSightings.ts';
import { Sightings } from '../../src/ledger/sightings/sightings.ts';
import type { TestRedis } from '../support/redis.ts';
import { written } from './beats.ts';
import type { ModelKey, ModelSighting } from './model.ts';
import { TYPES, type Type, type World } from './worlds.ts';

/** How a run removes keys, and as whom: what that user may do decides it. */
export interface Strategy {
  readonly name: Report['strategy'];
  readonly commands: string;
}

const READING = '+info +time +scan +mget +exists +object|idletime +object|refcount';

/** Every way in which a run may remove keys. */
export const STRATEGIES: readonly Strategy[] = [
  { name: 'script', commands: `${READING} +unlink +eval +evalsha` },
  { name: 'transaction', commands: `${READING} +unlink +@transaction` },
];

/** Who may only look. */
export const READER = 'reader';
const PASSWORD = 'secret';
/** A server for worlds: expired keys stay until somebody looks at them, and crowds are written at once. */
export const SERVER_ARGS = ['--enable-debug-command', 'yes'];

const LONG_MS = 3_600_000;

const SIGHTINGS = '{stalesweep}:sightings:default:0123456789ab';
const SIGHTINGS_BYTES = 32 * 1024 * 1024;

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
function text(buffer: Buffer): string {
  return buffer.toString('latin1');
}

/** A server that is ready for worlds. */
export interface Stage {
  readonly server: TestRedis;
  /** A value of each type, as DUMP has it. */
  readonly payloads: ReadonlyMap<Type, Buffer>;
}

/** A value that is no small number: those share one object, and its idle time. */
const SAMPLE = 'a value';

/** Prepares a server, once. */
export async function stageOn(server: TestRedis): Promise<Stage> {
  const { redis } = server;
  await redis.call('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
  const users = [{ name: READER, commands: READING }, ...STRATEGIES];
  for (const { name, commands } of users) {
    await redis.call('ACL', 'SETUSER', name, 'on', `>${PASSWORD}`, '~*', ...commands.split(' '));
  }
  await redis
    .pipeline()
    .set('string', SAMPLE)
    .rpush('list', '1', SAMPLE)
    .hset('hash', 'timestamp', '1')
    .sadd('set', SAMPLE)
    .zadd('zset', 1, SAMPLE)
    .xadd('stream', '1-1', 'timestamp', '1')
    .exec();
  const payloads = await Promise.all(TYPES.map(async (type) => [type, await redis.dumpBuffer(type)] as const));
  await redis.flushall();
  return { server, payloads: new Map(payloads) };
}

async function msOf(redis: Redis): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}

/** The server's clock, in whole seconds. */
export async function secondsOf(redis: Redis): Promise<number> {
  return Math.floor((await msOf(redis)) / 1000);
}

/** What a key holds: the value of a string, and the whole of anything else. */
export interface Content {
  readonly value: string;
  readonly expiresAt: number;
}

/** What is there, once a world is written: for the model, and to compare with what is left. */
interface Written {
  readonly keys: ReadonlyMap<string, ModelKey>;
  readonly contents: ReadonlyMap<string, Content>;
  readonly seen: readonly ModelSighting[];
}

/** Empties the server and writes a world. Returns once what is to have expired has. */
export async function write(stage: Stage, world: World): Promise<Written> {
  const { payloads } = stage;
  const { redis } = stage.server;
  await redis.flushall();
  const startedAt = await msOf(redis);
  // Whole seconds, as the run's clock has them: so an age is exact as long as the second lasts.
  const nowMs = Math.floor(startedAt / 1000) * 1000;
  const keys = new Map<string, ModelKey>();
  const contents = new Map<string, Content>();
  const pipeline = redis.pipeline();
  const { crowd } = world;
  if (crowd !== null) {
    pipeline.call('DEBUG', 'POPULATE', String(crowd.count), bytes(crowd.prefix));
    for (let i = 0; i < crowd.count; i++) {
      const name = `${crowd.prefix}:${i}`;
      keys.set(name, { name, value: `value:${i}`, idleSeconds: 0 });
      contents.set(name, { value: `value:${i}`, expiresAt: -1 });
    }
  }
  for (const { name, value, idleSeconds, ttl } of world.keys) {
    const expiresAt = ttl === 'long' ? nowMs + LONG_MS : -1;
    if (typeof value === 'object') {
      const beat = written(value, nowMs);
      pipeline.set(bytes(name), bytes(beat));
      if (ttl === 'long') pipeline.pexpireat(bytes(name), expiresAt);
      if (ttl === 'over') pipeline.pexpire(bytes(name), 1);
      keys.set(name, { name, value: beat, idleSeconds: 0 });
      contents.set(name, { value: beat, expiresAt });
    } else {
      const payload = payloads.get(value) ?? Buffer.of();
      // In one command: whatever touches a key afterwards ends its idle time.
      const expiry = ttl === 'long' ? [String(expiresAt), 'ABSTTL'] : [ttl === 'over' ? '1' : '0', 'REPLACE'];
      pipeline.call(
        'RESTORE',
        bytes(name),
        expiry[0] ?? '0',
        payload,
        'REPLACE',
        expiry[1] ?? '',
        'IDLETIME',
        String(idleSeconds),
      );
      keys.set(name, { name, value: value === 'string' ? SAMPLE : null, idleSeconds });
      contents.set(name, { value: value === 'string' ? SAMPLE : text(payload), expiresAt });
    }
    if (ttl === 'over') keys.delete(name);
  }
  for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
  const seen = world.seen.map(({ coordinator, swarm, ageSeconds }) => ({
    coordinator,
    ...(swarm === null ? {} : { swarm }),
    beatAtSeconds: nowMs / 1000 - ageSeconds,
  }));
  await writeSeen(stage, seen);
  const doneAt = await msOf(redis);
  // Expired is what an expiry lies behind.
  while ((await msOf(redis)) <= doneAt + 1);
  return { keys, contents, seen };
}

/** Every name there is but those of sightings, sorted. */
export async function namesIn(redis: Redis): Promise<string[]> {
  return ((await redis.callBuffer('KEYS', '*')) as Buffer[])
    .map(text)
    .filter((name) => !name.startsWith(SIGHTINGS))
    .sort();
}

/** What earlier runs saw, for one run: in the same Redis, as where target and queue are one. */
export function pastOf({ server: { redis } }: Stage): RunSightings {
  return new RunSightings(new Sightings(redis, SIGHTINGS), { mostBytes: SIGHTINGS_BYTES });
}

/** Lets an earlier run have seen these. */
async function writeSeen(stage: Stage, seen: readonly ModelSighting[]): Promise<void> {
  if (seen.length === 0) return;
  const past = pastOf(stage);
  for (const { coordinator, swarm, beatAtSeconds } of seen) {
    const [id, inSwarm] = [bytes(coordinator), bytes(swarm ?? '')];
    const named = swarm === undefined ? null : { bytes: inSwarm, from: 0, to: inSwarm.length };
    past.see({ bytes: id, from: 0, to: id.length }, named, beatAtSeconds);
  }
  await past.keep();
}

/** What these keys hold now. */
export async function contentsIn(redis: Redis, keys: readonly ModelKey[]): Promise<[string, Content][]> {
  const pipeline = redis.pipeline();
  for (const { name, value } of keys) {
    if (value === null) pipeline.dumpBuffer(bytes(name));
    else pipeline.getBuffer(bytes(name));
    pipeline.call('PEXPIRETIME', bytes(name));
  }
  const replies = ((await pipeline.exec()) ?? []).map(([, reply]) => reply);
  return keys.map(({ name }, i) => {
    const value = replies[2 * i];
    return [
      name,
      { value: value instanceof Buffer ? text(value) : String(value), expiresAt: Number(replies[2 * i + 1]) },
    ];
  });
}

/** The server's address for one of its users. */
export function urlFor({ server }: Stage, user: string): string {
  return server.url.replace('//', `//${user}:${PASSWORD}@`);
}
