/** What `populate` writes: coordinators as the field has them, so that what is tried on them holds there too. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyReader } from '../../src/schema/keyReader.ts';
import { compileSchema, isIdOf, type KeySchema } from '../../src/schema/keySchema.ts';
import { SHIPPED_SCHEMAS } from '../../src/schema/shipped.ts';
import { populate } from '../../src/redis/sample/populate.ts';
import { coordinatorOf, type Sample } from '../../src/redis/sample/sample.ts';
import { useRedis } from '../support/leaks.ts';
import { keysIn, nowOf } from '../support/world.ts';

const server = useRedis();

const HOUR = 3_600;
const DAY = 24 * HOUR;
const SAMPLE: Sample = { coordinators: 60, stale: 20, acks: 2, idempotency: 1, staleAfterSeconds: 600 };

/** Names are spelled out: the test must not learn them from the code it tests. */
const NAMES = {
  swarm: {
    heartbeat: (id: string, swarm: string) => `swarm:${swarm}:blocking:heartbeat:${id}`,
    activity: (id: string, swarm: string) => `swarm:${swarm}:agent:${id}:activity`,
  },
  flat: {
    heartbeat: (id: string) => `blocking:heartbeat:${id}`,
    activity: (id: string) => `coordinator:activity:${id}`,
  },
} as const;
type Name = keyof typeof NAMES;
const SCHEMAS: readonly Name[] = ['swarm', 'flat'];

function shipped(name: Name): KeySchema {
  return compileSchema(name, SHIPPED_SCHEMAS[name] ?? { families: {} });
}

async function write(schema: KeySchema, sample: Partial<Sample> = {}): Promise<number> {
  return await populate(server.current.redis, schema, { ...SAMPLE, ...sample });
}

function swarmOf(number: number): string {
  return `swarm-${Math.floor(number / 20)}`;
}
/** In every second swarm of two segments. */
function idOf(number: number): string {
  return Math.floor(number / 20) % 2 === 0 ? `coordinator-${number}` : `${swarmOf(number)}:coordinator-${number}`;
}

/** Each coordinator's number, id, swarm, neighbour, and the time it beat last. */
function coordinatorsAt(now: number, { coordinators, stale, staleAfterSeconds } = SAMPLE) {
  return Array.from({ length: coordinators }, (_, number) => {
    const first = number - (number % 20);
    const size = Math.min(20, coordinators - first);
    const neighbour = (by: number) => idOf(first + ((number - first + size + by) % size));
    const at = number < stale ? now - (staleAfterSeconds + HOUR) * 1000 : now;
    return { number, id: idOf(number), swarm: swarmOf(number), previous: neighbour(-1), next: neighbour(1), at };
  });
}

/** When the sample was written, by Redis' clock: as the active ones' beats say, which may be a second ago. */
async function writtenAt(name: Name, last = SAMPLE.coordinators - 1): Promise<number> {
  const { redis } = server.current;
  const text = await redis.get(NAMES[name].heartbeat(idOf(last), swarmOf(last)));
  const { timestamp } = JSON.parse(text ?? '') as { timestamp: number };
  const ago = (await nowOf(redis)) - timestamp;
  expect(ago).toBeGreaterThanOrEqual(0);
  expect(ago).toBeLessThanOrEqual(10_000);
  return timestamp;
}

function inSeconds(ttlMs: number): number {
  return ttlMs < 0 ? ttlMs : Math.ceil(ttlMs / 1000);
}

/** All keys of the database with seconds to live, rounded up; -1 where they do not expire. */
async function lifetimes(): Promise<Record<string, number>> {
  const { redis } = server.current;
  const keys = await keysIn(redis);
  const ttls = await Promise.all(keys.map((key) => redis.pttl(key)));
  return Object.fromEntries(keys.map((key, n) => [key, inSeconds(ttls[n] ?? 0)]));
}

/** Every coordinator's keys of this schema, with the seconds each has to live. */
function expectedLifetimes(name: Name, now: number, { acks, idempotency, ttlMs }: Sample) {
  return Object.fromEntries(
    coordinatorsAt(now).flatMap(({ id, swarm, next, at }): [string, number][] => [
      [NAMES[name].heartbeat(id, swarm), ttlMs === undefined ? -1 : ttlMs / 1000],
      [`blocking:signal:${id}`, DAY],
      ...Array.from({ length: acks }, (_, n): [string, number] => [`blocking:ack:${id}:${next}-s${n + 1}`, HOUR]),
      ...Array.from({ length: idempotency }, (_, n): [string, number] => [
        `blocking:idempotency:${id}:${next}:completion:${n}:${at}`,
        DAY,
      ]),
      [NAMES[name].activity(id, swarm), -1],
    ]),
  );
}

/** What does not live as long as it should, but for the ten seconds that a slow machine may take. */
function oddLifetimes(lives: Record<string, number>, within: Record<string, number>) {
  return Object.entries(lives).filter(([key, seconds]) => {
    const most = within[key] ?? 0;
    return most === -1 ? seconds !== -1 : seconds > most || seconds < most - 10;
  });
}

for (const name of SCHEMAS) {
  test.each<[string, Partial<Sample>, number]>([
    ['six keys each by default', {}, 6],
    ['no acknowledgements', { acks: 0 }, 4],
    ['no idempotency keys', { idempotency: 0 }, 5],
    ['three idempotency keys for each sender', { idempotency: 3 }, 8],
    ['heartbeats that expire', { ttlMs: 300_000 }, 6],
  ])(
    `${name}: %s, exactly these names, between neighbours of a swarm of 20, with these lifetimes`,
    async (_, more, each) => {
      const sample = { ...SAMPLE, ...more };
      expect(await write(shipped(name), sample)).toBe(each * 60);
      const expected = expectedLifetimes(name, await writtenAt(name), sample);
      const found = await lifetimes();
      expect(Object.keys(found)).toEqual(Object.keys(expected).sort());
      expect(oddLifetimes(found, expected)).toEqual([]);
    },
  );

  test(`${name}: the first ones are stale by an hour, the others beat just now, and every value says so`, async () => {
    const { redis } = server.current;
    await write(shipped(name));
    const now = await writtenAt(name);
    const json = async (key: string) => JSON.parse((await redis.get(key)) ?? 'null') as unknown;
    for (const { id, swarm, previous, next, at } of coordinatorsAt(now)) {
      expect(await json(NAMES[name].heartbeat(id, swarm))).toEqual({
        coordinatorId: id,
        swarmId: swarm,
        status: 'waiting',
        iteration: 1,
        timestamp: at,
      });
      const signal = { senderId: previous, receiverId: id, timestamp: at };
      expect(await json(`blocking:signal:${id}`)).toMatchObject(signal);
      const ack = { coordinatorId: id, receiverId: next, timestamp: at };
      expect(await json(`blocking:ack:${id}:${next}-s2`)).toMatchObject({ ...ack, signalId: 's2' });
      expect(await redis.get(NAMES[name].activity(id, swarm))).toBe(`${at}`);
    }
  });

  test(`${name}: a last swarm that is smaller is a ring as well`, async () => {
    await write(shipped(name), { coordinators: 43, stale: 0 });
    const links = (await keysIn(server.current.redis))
      .map((key) => /^blocking:idempotency:coordinator-(4\d):coordinator-(\d+):completion:0:\d+$/.exec(key))
      .flatMap((found) => (found ? [[found[1], found[2]]] : []));
    expect(links).toEqual([
      ['40', '41'],
      ['41', '42'],
      ['42', '40'],
    ]);
  });
}

test('half of the heartbeats of claude-flow-novice are as its running code writes them, whoever is stale', async () => {
  const { redis } = server.current;
  await write(compileSchema('claude-flow-novice', SHIPPED_SCHEMAS['claude-flow-novice'] ?? { families: {} }));
  const now = await writtenAt('flat', 58);
  for (const { number, id, swarm, at } of coordinatorsAt(now)) {
    const beat = JSON.parse((await redis.get(`blocking:heartbeat:${id}`)) ?? '') as unknown;
    const same = { coordinatorId: id, iteration: 1 };
    expect(beat).toEqual(
      number % 2 === 0
        ? { ...same, swarmId: swarm, status: 'waiting', timestamp: at }
        : { ...same, lastHeartbeat: at, sequence: 1, metadata: { swarmId: swarm, status: 'waiting' } },
    );
  }
});

test("a schema of the user's own gets what its templates say, with ids of one segment", async () => {
  const { redis } = server.current;
  const families = {
    heartbeat: 'agents:{coordinator}:beat',
    mailbox: 'agents:{coordinator}:mail:*',
    ack: ['lock:{coordinator}', 'lock:{coordinator}:*'],
    state: 'agents:{coordinator}:state',
  };
  const keys = await write(compileSchema('mine', { families }), { coordinators: 21, idempotency: 3, ttlMs: 300_000 });
  expect(keys).toBe(21 * 4);
  const expected = Array.from({ length: 21 }, (_, n) => `coordinator-${n}`).flatMap((id) => [
    `agents:${id}:beat`,
    `agents:${id}:mail:1`,
    `agents:${id}:mail:2`,
    `lock:${id}`,
  ]);
  expect(await keysIn(redis)).toEqual(expected.sort());
  const ttls = Object.entries(await lifetimes());
  expect(ttls.filter(([key, ttl]) => ttl > 0 !== key.endsWith(':beat'))).toEqual([]);
});

test('ids have the shape that the schema says, whatever it is called', () => {
  const names = fc.constantFrom('swarm', 'flat', 'claude-flow-novice', 'mine');
  const never = fc.subarray(['coordinator-1', 'coordinator-21', 'swarm-0', 'swarm-1', 'swarm-1x', 'ping']);
  const segments = fc.option(fc.integer({ min: 1, max: 4 }));
  fc.assert(
    fc.property(names, segments, never, fc.integer({ min: 1, max: 60 }), (name, most, words, coordinators) => {
      const families = { heartbeat: 'agents:{coordinator}:beat' };
      const schema = compileSchema(name, { ids: { segments: most, never: words }, families });
      const reader = new KeyReader(schema);
      const ids = new Set<string>();
      for (let number = 0; number < coordinators; number++) {
        const { id } = coordinatorOf(schema, { ...SAMPLE, coordinators }, 0, number);
        expect(reader.read(Buffer.from(`agents:${id}:beat`)), id).toBe('heartbeat');
        expect(isIdOf(schema, reader.idSegments), id).toBe(true);
        ids.add(id);
      }
      expect(ids.size).toBe(coordinators);
    }),
    // The one that was wrong.
    { examples: [['swarm', 1, [], 21]] },
  );
});

/** Whose key each SET wrote, in Redis' own order. */
async function ownersWritten(sample: Partial<Sample>): Promise<number[]> {
  const { redis } = server.current;
  const monitor = await redis.monitor();
  const owners: number[] = [];
  const seenAll = new Promise<void>((resolve) => {
    monitor.on('monitor', (_: string, [command = '', key = '']: string[]) => {
      if (command.toLowerCase() === 'set') owners.push(Number(/coordinator-(\d+)/.exec(key)?.[1]));
      if (command.toLowerCase() === 'echo') resolve();
    });
  });
  try {
    await write(shipped('flat'), sample);
    await redis.echo('done');
    await seenAll;
  } finally {
    monitor.disconnect();
  }
  return owners;
}

test('writes as a living system does: nobody in one go, no swarm after another, stale among active', async () => {
  const owners = await ownersWritten({ coordinators: 200, stale: 100 });
  expect(owners).toHaveLength(1_200);
  expect(owners.filter((owner, i) => owner === owners[i + 1])).toEqual([]);
  // Any hundred writes in a row are of all ten swarms, and half of them of stale coordinators.
  for (let from = 0; from + 100 <= owners.length; from++) {
    const some = owners.slice(from, from + 100);
    expect(new Set(some.map(swarmOf)).size).toBe(10);
    expect(some.filter((owner) => owner < 100)).toHaveLength(50);
  }
});

test('one swarm alone is interleaved too', async () => {
  const owners = await ownersWritten({ coordinators: 10, stale: 5 });
  expect(owners).toHaveLength(60);
  expect(owners.filter((owner, i) => owner === owners[i + 1])).toEqual([]);
});

test('tells after each round trip how many coordinators are complete', async () => {
  const told: number[] = [];
  const sample = { ...SAMPLE, coordinators: 2_000, stale: 1_000 };
  await populate(server.current.redis, shipped('flat'), sample, (written) => told.push(written));
  expect(told).toHaveLength(3);
  expect(told).toEqual(told.toSorted((a, b) => a - b));
  expect(told.at(-1)).toBe(2_000);
});

test('ends where whoever is told so throws, and writes no more', async () => {
  const sample = { ...SAMPLE, coordinators: 2_000, stale: 1_000 };
  const stop = AbortSignal.abort(new Error('enough'));
  const written = populate(server.current.redis, shipped('flat'), sample, () => stop.throwIfAborted());
  await expect(written).rejects.toThrow('enough');
  expect(await server.current.redis.dbsize()).toBe(5_000);
});
