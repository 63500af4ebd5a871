/** ground: a Redis to write drawn worlds on, and to read all of it back, byte for byte. */
import type { Redis } from 'ioredis';
import { RunSightings } from '../../src/ledger/sightings/runSightings.ts';
import { Sightings } from '../../src/ledger/sightings/sightings.ts';
import type { TestRedis } from '../support/redis.ts';
import type { RentedRedis } from '../support/rented/proxy.ts';
import { addUser } from '../support/users.ts';
import type { World } from './world.ts';

export interface Ground {
  /** Of the fixture: it selects the database of the round. */
  readonly redis: Redis;
  /** The queue's, where sightings are kept: always database 0. */
  readonly queue: Redis;
  /** Those who come back write by these. */
  readonly clients: readonly Redis[];
  urlFor(byTransaction: boolean): string;
  /** Whether a run may end in a sentence, before it removes anything. */
  readonly mayRefuse: boolean;
  leave(): void;
}

/** Another database of the same server, which no run may touch. */
export const ELSEWHERE = 1;
const SIGHTINGS = '{stalesweep}:sightings:default:0123456789ab';
const UNSCRIPTED = ['~*', '&*', '+@all', '-eval', '-evalsha', '-fcall', '-script', '-keys', '-flushall'];

export const buffer = (text: string): Buffer => Buffer.from(text, 'latin1');

/** @param door what runs reach it by; left out: its own address */
export async function groundOn(server: TestRedis, door?: RentedRedis): Promise<Ground> {
  const user = new URL(await addUser(server, UNSCRIPTED));
  const url = new URL(server.url);
  if (door !== undefined) url.port = user.port = new URL(door.url).port;
  const queue = server.redis.duplicate();
  const clients = [1, 2, 3].map(() => server.redis.duplicate());
  return {
    redis: server.redis,
    queue,
    clients,
    urlFor: (byTransaction) => String(byTransaction ? user : url).replace(/\/$/, ''),
    mayRefuse: door !== undefined,
    leave: () => {
      for (const one of [queue, ...clients]) one.disconnect();
    },
  };
}

/** Where it stands what earlier runs saw. */
export function seenOn({ queue }: Ground): Sightings {
  return new Sightings(queue, SIGHTINGS);
}

/** What earlier runs saw. */
export function pastOf(ground: Ground, readOnly = false): RunSightings {
  return new RunSightings(seenOn(ground), { mostBytes: 1e7, readOnly });
}

let beats = 0;
/** A heartbeat's value, never twice the same; some are longer than a proof. */
export function beatOf(ms: number): string {
  return JSON.stringify({ n: beats++, timestamp: ms, ...(beats % 2 === 0 ? { pad: 'p'.repeat(100) } : {}) });
}

const TTL_MS = 9_000_000;
const IDLE_SECONDS = '5000';

/** Writes it into this database, and a part of it into another one; resolves to what is there, as `dumpsIn` tells it. */
export async function writeWorld(ground: Ground, world: World, db: number): Promise<Map<string, string>> {
  const { redis } = ground;
  const now = Number((await redis.time())[0]) * 1000;
  await redis.set('value', 'a value');
  await redis.rpush('list', 'a value');
  const [value, list] = [await redis.dumpBuffer('value'), await redis.dumpBuffer('list')];
  const writes = redis.pipeline().del('value', 'list');
  const past = pastOf(ground);
  const known = new Map<string, Buffer>();
  for (const { id, swarm, heartbeat, state, silentSeconds } of world.everybody) {
    const beatAt = now - silentSeconds * 1000;
    if (state.startsWith('lapsed')) {
      const named = { bytes: buffer(swarm), from: 0, to: swarm.length };
      past.see({ bytes: buffer(id), from: 0, to: id.length }, swarm === '' ? null : named, beatAt / 1000);
    } else if (state === 'unreadable' && beats % 2 === 0) writes.rpush(buffer(heartbeat), `${beats++}`);
    else writes.set(buffer(heartbeat), state === 'unreadable' ? `none ${beats++}` : beatOf(beatAt));
  }
  for (const [name, content] of world.keys) {
    const idle = content.idle ? ['IDLETIME', IDLE_SECONDS] : [];
    const payload = content.value === null ? list : value;
    known.set(name, payload);
    writes.call('RESTORE', buffer(name), content.ttl ? `${TTL_MS}` : '0', payload, 'REPLACE', ...idle);
  }
  writes.select(ELSEWHERE);
  for (const name of [...world.keys.keys(), ...world.everybody.map((one) => one.heartbeat)])
    writes.set(buffer(name), '1');
  writes.select(db);
  for (const [error] of (await writes.exec()) ?? []) if (error) throw error;
  await past.keep();
  return await dumpsIn(redis, known);
}

/**
 * All there is but the queue's, by name: each value, and whether it expires. Whoever asks ends the idle time of what is not known.
 * @param known values that need not be asked for
 */
export async function dumpsIn(
  redis: Redis,
  known: ReadonlyMap<string, Buffer> = new Map(),
): Promise<Map<string, string>> {
  const names = ((await redis.callBuffer('KEYS', '*')) as Buffer[]).filter(
    (name) => !name.toString().startsWith(SIGHTINGS),
  );
  const asked = redis.pipeline();
  for (const name of names) {
    if (known.has(name.toString('latin1'))) asked.echo('known');
    else asked.dumpBuffer(name);
    asked.pttl(name);
  }
  const replies = ((await asked.exec()) ?? []).map(([, reply]) => reply);
  return new Map(
    names.map((name, i) => {
      const expires = Number(replies[2 * i + 1]) >= 0 ? ' expires' : '';
      const text = name.toString('latin1');
      return [text, `${(known.get(text) ?? (replies[2 * i] as Buffer)).toString('latin1')}${expires}`];
    }),
  );
}
