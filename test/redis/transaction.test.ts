import type { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { Bulk } from '../../src/redis/call/bulk.ts';
import { connectBeside, connectForRun } from '../../src/redis/connection/connectForRun.ts';
import { sweepOrphans } from '../../src/redis/orphans.ts';
import { type SweepChunk, sweep } from '../../src/redis/sweep.ts';
import { Transactions } from '../../src/redis/removal/transaction.ts';
import { Trash } from '../../src/redis/trash/names.ts';
import { type CallHooks, HookedCalls } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { addUser, UNSCRIPTED } from '../support/users.ts';
import { keysIn, writeAll } from '../support/world.ts';

const server = useRedis(['--enable-debug-command', 'local']);
const opened: Redis[] = [];
afterEach(() => {
  for (const redis of opened.splice(0)) redis.disconnect();
});

async function callsWith(hooks: CallHooks = {}, url = server.current.url) {
  const redis = await connectForRun({ url });
  opened.push(redis);
  return { redis, calls: new HookedCalls(redis, hooks) };
}

async function transactions(hooks: CallHooks = {}, url = server.current.url) {
  const { redis, calls } = await callsWith(hooks, url);
  return { redis, calls, doors: new Transactions(calls, async () => await connectBeside(redis)) };
}

async function byScript() {
  const { calls } = await callsWith();
  return {
    sweep: async (chunk: SweepChunk) => await sweep(calls, chunk),
    sweepOrphans: async (chunk: Parameters<typeof sweepOrphans>[1]) => await sweepOrphans(calls, chunk),
  };
}

const WORLD = { h1: 'old1', h2: 'old2', a1: '1', a2: '1', b1: '1' };
function judgedAs(values: Readonly<Record<string, string>>) {
  return {
    keys: Bulk.of(Object.keys(values)),
    proofs: Bulk.of(Object.values(values)),
  };
}
const CHUNK: SweepChunk = {
  judged: judgedAs({ h1: 'old1', h2: 'old2' }),
  absent: Bulk.of(['n1', 'n2', 'n3']),
  families: [Bulk.of(['a1', 'a2', 'gone']), Bulk.of([]), Bulk.of(['b1'])],
  heartbeats: 2,
  told: [],
};

/** A key that nobody has touched for so long. */
async function idle(key: string, seconds: number): Promise<void> {
  const { redis } = server.current;
  await redis.set(key, 'a value of its own');
  const dump = await redis.dumpBuffer(key);
  await redis.call('RESTORE', key, '0', dump, 'REPLACE', 'IDLETIME', String(seconds));
}

/**
 * Does this within one second as Redis counts idle times: in whole ones, by a clock it looks at ten times a second. Where it takes
 * longer, all begins anew.
 */
async function withinASecond<T>(act: () => Promise<T>): Promise<T> {
  const now = async () => (await server.current.redis.time()).map(Number) as [number, number];
  for (;;) {
    await expect.poll(async () => Math.abs((await now())[1] - 250_000), { interval: 20 }).toBeLessThan(100_000);
    const [second] = await now();
    const done = await act();
    if ((await now())[0] === second) return done;
  }
}

describe.each([
  ['script', byScript],
  ['transaction', async () => (await transactions()).doors],
])('by %s', (_, open) => {
  test('a chunk that is as judged goes, and is counted by family, heartbeats last (P1, P3)', async () => {
    await writeAll(server.current.redis, { ...WORLD, other: '1' });
    const result = await (await open()).sweep(CHUNK);
    expect(result).toMatchObject({ swept: true, removed: [2, 0, 1], heartbeats: 2 });
    expect(result.ms).toBeGreaterThan(0);
    expect(await keysIn(server.current.redis)).toEqual(['other']);
  });

  test('of families that are asked about it tells which keys were not there, by position', async () => {
    await writeAll(server.current.redis, WORLD);
    const families = [Bulk.of(['a1', 'x', 'a2', 'y']), Bulk.of([]), Bulk.of(['z', 'b1'])];
    const result = await (await open()).sweep({ ...CHUNK, families, told: [true, true, true] });
    expect(result).toMatchObject({ swept: true, removed: [2, 0, 1], missing: [1, 3, 4], heartbeats: 2 });
    expect(await keysIn(server.current.redis)).toEqual([]);
  });

  test('heartbeats that are only the proof stay (P3)', async () => {
    await writeAll(server.current.redis, WORLD);
    const result = await (await open()).sweep({ ...CHUNK, heartbeats: 0 });
    expect(result).toMatchObject({ swept: true, removed: [2, 0, 1], heartbeats: 0 });
    expect(await keysIn(server.current.redis)).toEqual(['h1', 'h2']);
  });

  test('what changed is told by position, and nothing goes (P1)', async () => {
    const { redis } = server.current;
    await writeAll(redis, { ...WORLD, h2: 'new', h4: 'old4', n1: '1', n3: '1' });
    await redis.lpush('h5', 'no string any more');
    await redis.sadd('n2', 'no string either');
    const before = await keysIn(redis);
    const judged = judgedAs({ h1: 'old1', h2: 'old2', h3: 'old3', h4: 'old4', h5: 'old5' });
    const result = await (await open()).sweep({ ...CHUNK, judged, absent: Bulk.of(['n0', 'n1', 'n2', 'n4', 'n3']) });
    expect(result).toMatchObject({ swept: false, revived: [1, 4], vanished: [2], born: [1, 2, 4] });
    expect(await keysIn(redis)).toEqual(before);
  });

  test.each([
    ['moved into the one before', { h1: 'old1o', h2: 'ld2' }, [0, 1]],
    ['run together', { h1: 'old1\0old2', h2: '' }, [0, 1]],
    ['exchanged', { h1: 'old2', h2: 'old1' }, [0, 1]],
    ['longer by a NUL', { h1: 'old1', h2: 'old2\0' }, [1]],
    ['empty', { h1: '', h2: 'old2' }, [0]],
  ])('values that were %s are not the judged ones (P1)', async (_, values, revived) => {
    await writeAll(server.current.redis, { ...WORLD, ...values });
    expect(await (await open()).sweep(CHUNK)).toMatchObject({ swept: false, revived, vanished: [], born: [] });
    expect(await keysIn(server.current.redis)).toEqual(Object.keys(WORLD).sort());
  });

  test('a chunk with nothing else than a proof of absence goes, or not', async () => {
    await writeAll(server.current.redis, WORLD);
    const chunk = {
      judged: judgedAs({}),
      absent: Bulk.of(['n1']),
      families: [Bulk.of(['a1'])],
      heartbeats: 0,
      told: [],
    };
    const doors = await open();
    expect(await doors.sweep({ ...chunk, absent: Bulk.of(['n1', 'h1']) })).toMatchObject({ swept: false, born: [1] });
    expect(await doors.sweep(chunk)).toMatchObject({ swept: true, removed: [1], heartbeats: 0 });
    expect(await keysIn(server.current.redis)).toEqual(['a2', 'b1', 'h1', 'h2']);
  });

  test('names and values are bytes, whatever they spell', async () => {
    const { redis } = server.current;
    const bytes = Buffer.from([0xff, 0x00, 0x0d, 0x0a, 0xe4, 0x2a]);
    const key = Buffer.concat([Buffer.from('h'), bytes]);
    const value = Buffer.concat([bytes, Buffer.from('v')]);
    await redis.set(key, value);
    const judged = judgedAs({ [key.toString('latin1')]: value.toString('latin1') });
    const result = await (await open()).sweep({ judged, absent: Bulk.of([]), families: [], heartbeats: 1, told: [] });
    expect(result).toMatchObject({ swept: true, heartbeats: 1 });
    expect(await redis.dbsize()).toBe(0);
  });

  test('of orphans only the idle ones go; none does when one of their coordinators is born (P11)', async () => {
    const { redis } = server.current;
    for (const key of ['x1', 'x2', 'y1']) await idle(key, 700);
    await idle('x3', 500);
    await redis.set('h1', 'here');
    const chunk = { families: [['x1', 'x2', 'x3', 'gone'], [], ['y1']], idleSeconds: 600 };
    const doors = await open();
    expect(await doors.sweepOrphans({ ...chunk, absent: ['n1', 'h1'] })).toMatchObject({ swept: false, born: [1] });
    expect(await redis.dbsize()).toBe(5);
    const result = await doors.sweepOrphans({ ...chunk, absent: ['n1'] });
    expect(result).toMatchObject({ swept: true, removed: [2, 0, 1] });
    expect(await doors.sweepOrphans({ ...chunk, absent: [] })).toMatchObject({ swept: true, removed: [0, 0, 0] });
    expect(await keysIn(redis)).toEqual(['h1', 'x3']);
    const atThreshold = await withinASecond(async () => {
      await idle('x3', 600);
      return await doors.sweepOrphans({ ...chunk, absent: [] });
    });
    expect(atThreshold).toMatchObject({ swept: true, removed: [0, 0, 0] });
  });
});

/** Does something once, between the look of a transaction and its EXEC. */
function afterTheLook(act: () => unknown): CallHooks {
  let acted: unknown;
  const before = (name: string) => {
    if (name !== 'unlink' || acted !== undefined) return undefined;
    acted = act();
    return acted;
  };
  return { before };
}

describe('between the look of a transaction and its EXEC', () => {
  test.each<[string, () => unknown, object]>([
    ['beats', () => server.current.redis.set('h2', 'new'), { revived: [1], vanished: [], born: [] }],
    ['is removed', () => server.current.redis.del('h1'), { revived: [], vanished: [0], born: [] }],
    ['becomes a hash', () => server.current.redis.multi().del('h1').hset('h1', 'a', '1').exec(), { revived: [0] }],
    ['is born', () => server.current.redis.set('n2', 'new'), { revived: [], vanished: [], born: [1] }],
  ])('a heartbeat that %s keeps every key (P1)', async (_, act, told) => {
    await writeAll(server.current.redis, WORLD);
    const { doors } = await transactions(afterTheLook(act));
    expect(await doors.sweep(CHUNK)).toMatchObject({ swept: false, ...told });
    expect(await keysIn(server.current.redis)).toEqual(expect.arrayContaining(['a1', 'a2', 'b1']));
  });

  test('a heartbeat whose time is over, though Redis has not noticed yet, keeps every key (P1)', async () => {
    const { redis } = server.current;
    const nowMs = async () => {
      const [seconds, micros] = await redis.time();
      return Number(seconds) * 1000 + Number(micros) / 1000;
    };
    await redis.call('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
    try {
      await writeAll(redis, WORLD);
      const endsAt = (await nowMs()) + 300;
      await redis.pexpireat('h1', Math.ceil(endsAt));
      const over = async () => {
        while ((await nowMs()) < endsAt + 2);
      };
      const { doors } = await transactions(afterTheLook(over));
      expect(await doors.sweep(CHUNK)).toMatchObject({ swept: false, revived: [], vanished: [0] });
      expect(await keysIn(redis)).toEqual(['a1', 'a2', 'b1', 'h2']);
    } finally {
      await redis.call('DEBUG', 'SET-ACTIVE-EXPIRE', '1');
    }
  });

  test('a heartbeat written once more as it was is looked at again, and goes (P1)', async () => {
    await writeAll(server.current.redis, WORLD);
    const { doors } = await transactions(afterTheLook(() => server.current.redis.set('h1', 'old1')));
    expect(await doors.sweep(CHUNK)).toMatchObject({ swept: true, removed: [2, 0, 1], heartbeats: 2 });
    expect(await server.current.redis.dbsize()).toBe(0);
  });

  test('a heartbeat written as it was again and again keeps every key, and the call says that it may be tried again', async () => {
    const { redis } = server.current;
    await writeAll(redis, WORLD);
    let looks = 0;
    const { doors } = await transactions({
      before: async (name) => {
        if (name !== 'exec') return;
        looks++;
        await redis.set('h1', 'old1');
      },
    });
    await expect(doors.sweep(CHUNK)).rejects.toThrow(/^TRYAGAIN /);
    expect(looks).toBe(5);
    expect(await keysIn(redis)).toEqual(Object.keys(WORLD).sort());
  });

  test('an orphan that is written stays, and so do all when a coordinator is born (P11)', async () => {
    const { redis } = server.current;
    for (const key of ['x1', 'x2']) await idle(key, 700);
    const chunk = { absent: ['n1'], families: [['x1', 'x2']], idleSeconds: 600 };
    const written = await transactions(afterTheLook(() => redis.append('x1', '.')));
    expect(await written.doors.sweepOrphans(chunk)).toMatchObject({ swept: true, removed: [1] });
    expect(await keysIn(redis)).toEqual(['x1']);
    await idle('x1', 700);
    const born = await transactions(afterTheLook(() => redis.set('n1', 'new')));
    expect(await born.doors.sweepOrphans(chunk)).toMatchObject({ swept: false, born: [0] });
    expect(await keysIn(redis)).toEqual(['n1', 'x1']);
  });

  test('orphans that are written all the time stay, and do not keep idle ones from going (P11)', async () => {
    const { redis } = server.current;
    for (const key of ['x1', 'x2', 'x3']) await idle(key, 700);
    await writeAll(redis, { used1: '1', used2: '1' });
    let looks = 0;
    const { doors } = await transactions({
      before: async (name) => {
        if (name !== 'exec') return;
        for (const key of ['used1', 'used2', ...(looks++ === 1 ? ['x2'] : [])]) await redis.append(key, '.');
      },
    });
    const chunk = {
      absent: [],
      families: [
        ['x1', 'used1'],
        ['used2', 'x2', 'x3'],
      ],
      idleSeconds: 600,
    };
    expect(await doors.sweepOrphans(chunk)).toMatchObject({ swept: true, removed: [1, 1] });
    expect(looks).toBe(3);
    expect(await keysIn(redis)).toEqual(['used1', 'used2', 'x2']);
    const used = { absent: [], families: [['used1'], ['used2', 'x2']], idleSeconds: 600 };
    expect(await doors.sweepOrphans(used)).toMatchObject({ swept: true, removed: [0, 0] });
    expect(looks).toBe(3);
  });

  test('one chunk does not end the WATCH of another (P1)', async () => {
    const { redis } = server.current;
    const ids = Array.from({ length: 40 }, (_, n) => n);
    const world = ids.flatMap((n) => [[`h${n}`, 'old'] as const, [`a${n}`, '1'] as const]);
    await writeAll(redis, Object.fromEntries(world));
    const { doors } = await transactions({
      before: async (name, args) => {
        const [keys] = args[0] instanceof Bulk ? args[0].texts() : [];
        const n = /^a(\d*[02468])$/.exec(keys ?? '')?.[1];
        if (name === 'unlink' && n !== undefined) await redis.set(`h${n}`, 'new');
      },
    });
    const results = await Promise.all(
      ids.map(
        async (n) =>
          await doors.sweep({
            judged: judgedAs({ [`h${n}`]: 'old' }),
            absent: Bulk.of([]),
            families: [Bulk.of([`a${n}`])],
            heartbeats: 1,
            told: [],
          }),
      ),
    );
    expect(results.map(({ swept }) => swept)).toEqual(ids.map((n) => n % 2 === 1));
    expect(await redis.dbsize()).toBe(40);
  });
});

describe('a transaction that Redis refuses', () => {
  test('because its memory is full removes nothing, says so, and goes once there is room', async () => {
    const { redis } = server.current;
    await writeAll(redis, WORLD);
    const { doors } = await transactions();
    const toTrash = { ...CHUNK, trash: new Trash(60_000, 'run', 1) };
    await redis.config('SET', 'maxmemory', '1');
    try {
      // From 8.0 on it takes those in which only UNLINK writes.
      const takesUnlink =
        (await redis
          .multi()
          .unlink('nothing')
          .exec()
          .catch(() => null)) !== null;
      for (const chunk of takesUnlink ? [toTrash] : [toTrash, CHUNK]) {
        const sweeping = doors.sweep(chunk);
        await expect(sweeping).rejects.toThrow(/memory is full, and then it refuses such transactions; free/);
      }
      expect(await keysIn(redis)).toEqual(Object.keys(WORLD).sort());
      if (takesUnlink) expect(await doors.sweep(CHUNK)).toMatchObject({ swept: true, heartbeats: 2 });
    } finally {
      await redis.config('SET', 'maxmemory', '0');
    }
    await writeAll(redis, WORLD);
    expect(await doors.sweep(CHUNK)).toMatchObject({ swept: true, heartbeats: 2 });
  });

  test.each([
    ['watch', 'watch'],
    ['mget', 'watch'],
    ['multi', 'watch'],
    ['unlink', 'unlink'],
    ['exec', 'unlink'],
  ])(
    'because %s is taken from the user on the way removes nothing, and goes once it is back (P1)',
    async (command, at) => {
      const { redis } = server.current;
      await writeAll(redis, WORLD);
      const url = await addUser(server.current, UNSCRIPTED);
      let taken: unknown;
      const { doors } = await transactions(
        {
          before: (name) => {
            if (name === at) taken ??= redis.call('ACL', 'SETUSER', 'stalesweep', `-${command}`);
            return taken;
          },
        },
        url,
      );
      await expect(doors.sweep(CHUNK)).rejects.toThrow(`'${command}' command`);
      expect(await keysIn(redis)).toEqual(Object.keys(WORLD).sort());
      await redis.call('ACL', 'SETUSER', 'stalesweep', `+${command}`);
      expect(await doors.sweep({ ...CHUNK, absent: Bulk.of(['h1']) })).toMatchObject({ swept: false, born: [0] });
      expect(await doors.sweep(CHUNK)).toMatchObject({ swept: true, removed: [2, 0, 1] });
    },
  );

  test('because the user may not touch one of the keys removes nothing', async () => {
    const { redis } = server.current;
    await writeAll(redis, WORLD);
    const rules = ['~h*', '~a*', '~n*', '~gone', ...UNSCRIPTED.filter((rule) => !rule.startsWith('~'))];
    const { doors } = await transactions({}, await addUser(server.current, rules));
    await expect(doors.sweep(CHUNK)).rejects.toThrow('NOPERM');
    expect(await keysIn(redis)).toEqual(Object.keys(WORLD).sort());
  });
});

describe('the connection of transactions', () => {
  const clients = async () => String(await server.current.redis.call('CLIENT', 'LIST')).match(/name=stalesweep/g);

  test('is one, however many chunks go at once, and ends with that of the run (P10)', async () => {
    const { redis, doors } = await transactions();
    await Promise.all(Array.from({ length: 10 }, async () => await doors.sweep(CHUNK)));
    expect(await clients()).toHaveLength(2);
    redis.disconnect();
    await expect.poll(clients, { interval: 10 }).toBeNull();
    await expect(doors.sweep(CHUNK)).rejects.toThrow();
  });

  test('does not come back when it breaks (P10)', async () => {
    await writeAll(server.current.redis, WORLD);
    const { doors } = await transactions();
    await doors.sweep({ ...CHUNK, absent: Bulk.of(['h1']) });
    await server.current.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await expect(doors.sweep(CHUNK)).rejects.toThrow();
    await expect(doors.sweep(CHUNK)).rejects.toThrow();
    expect(await keysIn(server.current.redis)).toEqual(Object.keys(WORLD).sort());
  });

  test('is not opened once that of the run has gone (P10)', async () => {
    await writeAll(server.current.redis, WORLD);
    const { doors } = await transactions();
    await server.current.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await expect(doors.sweep(CHUNK)).rejects.toThrow();
    expect(await keysIn(server.current.redis)).toEqual(Object.keys(WORLD).sort());
  });
});
