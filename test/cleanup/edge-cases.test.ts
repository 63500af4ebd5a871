import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { clean, HookedCalls, targetOf } from '../support/cleanup.ts';
import { Link } from '../../src/redis/target/link.ts';
import { Node } from '../../src/redis/target/node.ts';
import { useRedis } from '../support/leaks.ts';
import { startRedis } from '../support/redis.ts';
import { beat, everythingOf, heartbeatOf, keysIn, nowOf, STALE, settle, writeAll } from '../support/world.ts';

const server = useRedis();
function redis() {
  return server.current.redis;
}
function run(options: Parameters<typeof clean>[1] = {}) {
  return clean(server.current.url, options);
}
async function old() {
  return (await nowOf(redis())) - 3_600_000;
}

const WAIT = { timeout: 20_000, interval: 20 };

describe('ids', () => {
  test('`c1` goes beside `c10` and `c`, which keep everything (P2)', async () => {
    await settle(redis(), 'c1', STALE);
    const kept = [...(await settle(redis(), 'c10', 0)), ...(await settle(redis(), 'c', 0))];
    await run();
    expect(await keysIn(redis())).toEqual(kept.sort());
  });

  test.each(['*', '?', '[ab]', 'a\\', '^-]', 'x y', 'ümläut', '%s', '{c}'])(
    '%s is a name, not a pattern (P2)',
    async (id) => {
      await settle(redis(), id, STALE);
      const kept = [...(await settle(redis(), 'ab', 0)), ...(await settle(redis(), 'a', 0))];
      const report = await run();
      expect(await keysIn(redis())).toEqual(kept.sort());
      expect(report.keys.deleted).toBe(7);
    },
  );

  test('that are no UTF-8 are removed byte for byte, and nothing that only looks alike (P2, P8)', async () => {
    const bytes = (text: string, id: Buffer) => Buffer.concat([Buffer.from(text), id]);
    const id = Buffer.from([0xff, 0xfe, 0x80]);
    await redis().set(bytes('swarm:s:blocking:heartbeat:', id), beat(await old()));
    await redis().set(bytes('blocking:signal:', id), '1');
    await redis().set(bytes('blocking:ack:', Buffer.concat([id, Buffer.from(':1')])), '1');
    await redis().set('blocking:signal:\ufffd\ufffd\ufffd', 'another');
    const report = await run();
    expect(report.keys).toMatchObject({ deleted: 3 });
    expect(await keysIn(redis())).toEqual(['blocking:signal:\ufffd\ufffd\ufffd']);
  });

  test('active in one swarm and stale in another keep the keys without a swarm; the stale swarm loses its own (P2)', async () => {
    await settle(redis(), 'c', STALE, 'dead');
    await settle(redis(), 'c', 0, 'alive');
    const report = await run();
    const own = [heartbeatOf('c', 'dead'), 'swarm:dead:agent:c:activity', 'swarm:dead:blocking:c'];
    expect(await keysIn(redis())).toEqual([...new Set([...everythingOf('c', 'alive')])].sort());
    expect(report.keys.deleted).toBe(own.length);
    expect(report.coordinators).toMatchObject({ checked: 2, active: 1, stale: 1, swept: 1 });
  });

  test('stale in two swarms lose everything (P2)', async () => {
    await settle(redis(), 'c', STALE, 'a');
    await settle(redis(), 'c', STALE, 'b');
    expect((await run()).coordinators).toMatchObject({ stale: 2, swept: 2 });
    expect(await keysIn(redis())).toEqual([]);
  });
});

describe.each(['swarm', 'flat'])('an idempotency key, in schema %s', (schema) => {
  const heartbeat = (id: string) => (schema === 'flat' ? `blocking:heartbeat:${id}` : heartbeatOf(id));
  const REAL = 'blocking:idempotency:a:b:update:3:1760000000000';
  const world = async (a: string | null, b: string | null) => {
    await redis().set(REAL, '1');
    if (a !== null) await redis().set(heartbeat('a'), a);
    if (b !== null) await redis().set(heartbeat('b'), b);
  };

  test('that names a stale and an active coordinator stays (P2)', async () => {
    await world(beat(await old()), beat(await nowOf(redis())));
    await run({ settings: { schema } });
    expect(await keysIn(redis())).toEqual([REAL, heartbeat('b')].sort());
  });

  test('that names a stale and an unreadable coordinator stays (P2, P4)', async () => {
    await world(beat(await old()), 'garbled');
    await run({ settings: { schema } });
    expect(await keysIn(redis())).toEqual([REAL, heartbeat('b')].sort());
  });

  test('of six segments that names two stale coordinators goes, once (P2)', async () => {
    await world(beat(await old()), beat(await old()));
    const report = await run({ settings: { schema } });
    expect(await keysIn(redis())).toEqual([]);
    expect(report.keys.byFamily).toMatchObject({ idempotency: 1, heartbeat: 2 });
  });

  test('that names one stale coordinator, and else only words, goes (P2)', async () => {
    await world(beat(await old()), null);
    await run({ settings: { schema } });
    expect(await keysIn(redis())).toEqual([]);
  });

  test('that names nobody with a heartbeat is an orphan: counted, and kept (P11)', async () => {
    await world(null, null);
    expect((await run({ settings: { schema } })).keys).toMatchObject({ orphans: 1, deleted: 0 });
    expect(await keysIn(redis())).toEqual([REAL]);
  });
});

describe('what can not be judged', () => {
  test.each([
    ['a nested timestamp', '{"last":{"timestamp":1}}', 'no-time'],
    ['no JSON', 'x', 'not-json'],
    ['a time to come', '{"timestamp":99999999999999}', 'future'],
  ])('%s: is kept, counted and named (P4)', async (_, value, why) => {
    const keys = await settle(redis(), 'c', STALE);
    await redis().set(heartbeatOf('c'), value);
    const report = await run();
    expect(await keysIn(redis())).toEqual(keys.sort());
    expect(report).toMatchObject({
      coordinators: { checked: 1, unreadable: 1, stale: 0 },
      unreadable: [{ why, count: 1, sample: [heartbeatOf('c')] }],
    });
  });

  test('a heartbeat that is a hash is kept, counted and named (P4)', async () => {
    const keys = await settle(redis(), 'c', STALE);
    await redis().del(heartbeatOf('c'));
    await redis().hset(heartbeatOf('c'), 'timestamp', '1');
    const report = await run();
    expect(await keysIn(redis())).toEqual(keys.sort());
    expect(report).toMatchObject({
      coordinators: { unreadable: 1 },
      unreadable: [{ why: 'wrong-type', count: 1, sample: [heartbeatOf('c')] }],
    });
  });

  test('names 10 of a reason at most (P4)', async () => {
    await writeAll(redis(), Object.fromEntries(Array.from({ length: 30 }, (_, i) => [heartbeatOf(`c${i}`), 'x'])));
    const report = await run();
    expect(report.unreadable).toMatchObject([{ why: 'not-json', count: 30 }]);
    expect([report.coordinators.unreadable, report.unreadable[0]?.sample.length]).toEqual([30, 10]);
  });

  test('`{"timestamp" : 1000000000000}` with blanks can be judged: it is stale (P4, P5)', async () => {
    await redis().set(heartbeatOf('c'), '{"timestamp" : 1000000000000}');
    expect((await run()).coordinators).toMatchObject({ stale: 1, swept: 1 });
  });
});

describe('a target', () => {
  test('that is empty is cleaned in no time, and the report is all zeroes', async () => {
    const report = await run();
    expect(report).toMatchObject({ outcome: 'completed', chunks: 0, keys: { found: 0, deleted: 0, orphans: 0 } });
    expect(report.coordinators).toEqual({
      checked: 0,
      active: 0,
      stale: 0,
      unreadable: 0,
      held: 0,
      protected: 0,
      lapsed: 0,
      swept: 0,
      revived: 0,
    });
  });

  test('on which half the keys have expired already is cleaned, and only what was there is counted', async () => {
    await settle(redis(), 'c', STALE);
    await redis().del('blocking:signal:c', 'blocking:ack:c:1', 'swarm:s1:blocking:c');
    const report = await run();
    expect(await keysIn(redis())).toEqual([]);
    expect(report.keys).toMatchObject({
      found: 4,
      deleted: 4,
      byFamily: { signal: 0, ack: 1, state: 0, heartbeat: 1 },
    });
  });

  test('keeps whatever is not in the schema, however alike (P8)', async () => {
    const alike = [
      'blocking:signal:c:x',
      'blocking:sig:c',
      'xblocking:signal:c',
      'blocking:ack:c',
      'swarm:s1:agent:c:activityx',
      'coordinator:activity:c',
      'swarm:s1:blocking:heartbeat:c:x',
    ];
    await settle(redis(), 'c', STALE);
    await writeAll(redis(), Object.fromEntries(alike.map((key) => [key, '1'])));
    await run();
    expect(await keysIn(redis())).toEqual(alike.sort());
  });

  test.each([
    ['restarted with its snapshot', ['--appendonly', 'no'], 0, {}],
    ['restarted with its append-only file', ['--appendonly', 'yes'], 0, {}],
    ['restarted, with restartGrace off', ['--appendonly', 'no'], 1, { restartGrace: false }],
  ])('%s: an outage is not a death (P10)', async (_, args, swept, settings) => {
    const dir = await mkdtemp(join(tmpdir(), 'stalesweep-restart-'));
    try {
      const before = await startRedis([...args, '--dir', dir]);
      const keys = await settle(before.redis, 'c', STALE);
      await before.redis.save();
      await before.stop();
      const after = await startRedis([...args, '--dir', dir]);
      const report = await clean(after.url, { settings });
      expect(report.coordinators).toMatchObject({ checked: 1, swept, active: 1 - swept });
      expect(await keysIn(after.redis)).toEqual(swept ? [] : keys.sort());
      await after.stop();
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});

test.each([
  ['as it says itself', '3600'],
  // Once it drops its backlog.
  ['though it has forgotten that', '1'],
])(
  'a primary that turns replica and back in mid-run, %s, with connections that nobody ends, costs nobody anything whose last beat went with that (P1, P10)',
  async (_, backlogTtl) => {
    const args = ['--repl-diskless-sync-delay', '0', '--repl-backlog-ttl', backlogTtl];
    const [one, other] = await Promise.all([startRedis(args), startRedis(args)]);
    const { redis, url, port } = one;
    const follow = async (follower: Redis, primary: number): Promise<void> => {
      await follower.replicaof('127.0.0.1', primary);
      await expect.poll(async () => await follower.info('replication'), WAIT).toMatch('master_link_status:up');
    };
    try {
      await settle(redis, 'living', 1);
      await settle(redis, 'revived', STALE);
      const all = await keysIn(redis);
      await follow(other.redis, port);
      let turned: Promise<void> | null = null;
      const turn = async (): Promise<void> => {
        await other.redis.replicaof('NO', 'ONE');
        await redis.set(heartbeatOf('revived'), beat(await nowOf(redis)));
        const at = await nowOf(redis);
        await follow(redis, other.port);
        // As long as a hand takes at least: no run believes for so long that a server is the same.
        await expect.poll(async () => await nowOf(redis), WAIT).toBeGreaterThan(at + 200);
        await redis.replicaof('NO', 'ONE');
        if (backlogTtl === '1')
          await expect.poll(async () => await redis.info('replication'), WAIT).toMatch(/master_replid2:0+\r/);
      };
      const after = async (name: string, reply: unknown) => {
        // Who asks what he may do reads nobody's.
        if (name !== 'mget' || !Array.isArray(reply) || reply.every((value) => value === null)) return;
        turned ??= turn();
        await turned;
      };
      await expect(clean(url, { after })).rejects.toThrow('is not the server any more that the run began with');
      expect(await keysIn(redis)).toEqual(all);
    } finally {
      await Promise.all([one.stop(), other.stop()]);
    }
  },
);

test('who asks whether a server is the same goes by no answer that was under way before (P10)', async () => {
  const settings = targetOf(server.current.url, { restartGrace: false });
  const signal = new AbortController().signal;
  const link = await Link.open(settings, signal);
  let asks = false;
  let later: Promise<unknown> | null = null;
  const after = async (name: string) => {
    if (!asks || name !== 'info' || later !== null) return;
    await redis().replicaof('127.0.0.1', 1);
    await redis().replicaof('NO', 'ONE');
    later = node.insistOnSame(0).catch((error: unknown) => error);
  };
  const calls = new HookedCalls(link.redis, { after });
  const node = await Node.examine(link, calls, settings, { dryRun: false, signal, warn: () => {} });
  asks = true;
  await node.insistOnSame(0);
  expect(String(await later)).toContain('is not the server any more that the run began with');
  node.close();
});

test('a first replica, or a backup, that comes to a target in mid-run makes it no other server, though it calls its history by a new name', async () => {
  const args = ['--repl-diskless-sync-delay', '0'];
  const [one, other] = await Promise.all([startRedis(args), startRedis(args)]);
  const { redis, url, port } = one;
  const nameOf = async () => /master_replid:\w+/.exec(await redis.info('replication'))?.[0];
  try {
    await settle(redis, 'gone', STALE);
    const before = await nameOf();
    let coming: Promise<void> | null = null;
    const come = async (): Promise<void> => {
      const at = await nowOf(redis);
      await other.redis.replicaof('127.0.0.1', port);
      await expect.poll(nameOf, WAIT).not.toBe(before);
      // Nobody is believed for so long to be the same.
      await expect.poll(async () => await nowOf(redis), WAIT).toBeGreaterThan(at + 200);
    };
    const after = async (name: string, reply: unknown) => {
      // Who asks what he may do reads nobody's.
      if (name !== 'mget' || !Array.isArray(reply) || reply.every((value) => value === null)) return;
      coming ??= come();
      await coming;
    };
    const report = await clean(url, { after });
    expect(report.coordinators.swept).toBe(1);
    expect(await keysIn(redis)).toEqual([]);
  } finally {
    await Promise.all([one.stop(), other.stop()]);
  }
});

test('orphans whose idle times came back with old data stay until Redis has been up for as long (P10)', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'stalesweep-restart-'));
  // Under such a policy a snapshot keeps idle times.
  const args = ['--maxmemory-policy', 'allkeys-lru', '--dir', dir];
  try {
    const before = await startRedis(args);
    const kept = await settle(before.redis, 'c', 10);
    await before.redis.set('tmp', 'an acknowledgement');
    const dump = (await before.redis.dumpBuffer('tmp')) as Buffer;
    await before.redis.del('tmp');
    await before.redis.call('RESTORE', 'blocking:ack:gone:1', '0', dump, 'IDLETIME', '100000');
    await before.redis.save();
    await before.stop();
    const after = await startRedis(args);
    expect(Number(await after.redis.object('IDLETIME', 'blocking:ack:gone:1'))).toBeGreaterThan(90_000);
    const warnings: string[] = [];
    await clean(after.url, {
      settings: { orphans: ['ack'] },
      observer: { warn: (text) => warnings.push(text) },
    });
    expect(await keysIn(after.redis)).toEqual(['blocking:ack:gone:1', ...kept].sort());
    expect(warnings.join()).toContain('orphans are kept: Redis came back with old data');
    await after.stop();
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

describe('a dry run', () => {
  test('passes under a user without write commands, and counts what a real run then removes (P7)', async () => {
    await settle(redis(), 'c', STALE);
    await settle(redis(), 'd', 0);
    await redis().set('blocking:idempotency:c:e:1', '1');
    const before = await keysIn(redis());
    await redis().call('ACL', 'SETUSER', 'reader', 'on', '>pw', '~*', '+@read', '+info', '+time', '+ping');
    const dry = await clean(server.current.url.replace('//', '//reader:pw@'), { dryRun: true });
    expect(await keysIn(redis())).toEqual(before);
    const real = await run();
    expect(dry.keys).toEqual({ ...real.keys, deleted: 0 });
    expect(dry.coordinators).toEqual({ ...real.coordinators, swept: 0 });
    await redis().call('ACL', 'DELUSER', 'reader');
  });
});

describe('orphans', () => {
  const idle = async (key: string, seconds: number) => {
    // Not a small number: Redis shares those among all keys, and with them their idle time.
    await redis().set(key, 'an acknowledgement');
    const dump = (await redis().dumpBuffer(key)) as Buffer;
    await redis().call('RESTORE', key, '0', dump, 'REPLACE', 'IDLETIME', String(seconds));
  };

  test('are swept only for the families that are listed, and only once idle for longer than the threshold', async () => {
    const kept = await settle(redis(), 'c1', 10);
    await idle('blocking:ack:gone:1', 610);
    await idle('blocking:ack:late:1', 500);
    await idle('blocking:signal:gone', 610);
    await idle('blocking:idempotency:gone', 610);
    const dry = await run({ settings: { orphans: ['ack', 'signal'] }, dryRun: true });
    const report = await run({ settings: { orphans: ['ack', 'signal'] } });
    expect(await keysIn(redis())).toEqual(['blocking:ack:late:1', 'blocking:idempotency:gone', ...kept].sort());
    expect(report.keys).toMatchObject({ orphans: 4, deleted: 2, byFamily: { ack: 1, signal: 1, idempotency: 0 } });
    expect(dry.keys).toEqual({ ...report.keys, deleted: 0 });
  });

  test('are kept when their coordinator has a heartbeat, or gets one before they go (P1, P11)', async () => {
    await idle('blocking:ack:c:1', 610);
    const born = new Redis(server.current.url);
    born.on('error', () => {});
    const report = await run({
      settings: { schema: 'flat', orphans: ['ack'] },
      before: async (name) => {
        if (name === 'evalsha') await born.set('blocking:heartbeat:c', beat(await nowOf(born)));
      },
    });
    born.disconnect();
    expect(report.keys.deleted).toBe(0);
    expect(await redis().exists('blocking:ack:c:1')).toBe(1);
  });
});

test('a schema of the user is cleaned like those that ship', async () => {
  const schemas = {
    mine: {
      heartbeat: 'agents:{coordinator}:beat',
      mailbox: 'agents:{coordinator}:mail:*',
      locks: ['lock:{coordinator}', 'lock:{coordinator}:*'],
    },
  };
  const stale = ['agents:c1:beat', 'agents:c1:mail:1', 'agents:c1:mail:2', 'lock:c1', 'lock:c1:x'];
  const kept = ['agents:c10:beat', 'agents:c10:mail:1', 'lock:c10', 'lock:c1x'];
  await writeAll(redis(), Object.fromEntries([...stale, ...kept].map((key) => [key, '1'])));
  await redis().set('agents:c1:beat', beat(await old()));
  await redis().set('agents:c10:beat', beat(await nowOf(redis())));
  const report = await run({ settings: { schema: 'mine', schemas } });
  expect(await keysIn(redis())).toEqual(kept.sort());
  expect(report.keys.byFamily).toEqual({ heartbeat: 1, mailbox: 2, locks: 2 });
});

test('30,000 coordinators go in chunks, and scripts forgotten on the way are sent again (P6)', async () => {
  const at = await old();
  const world: Record<string, string> = {};
  for (let i = 0; i < 30_000; i++) world[`blocking:heartbeat:c${i}`] = beat(at);
  await writeAll(redis(), world);
  const flusher = new Redis(server.current.url);
  flusher.on('error', () => {});
  let calls = 0;
  const report = await run({
    settings: { schema: 'flat', callBudget: '0.5ms' },
    after: async (name) => {
      if (name === 'evalsha' && ++calls % 5 === 0) await flusher.script('FLUSH');
    },
  });
  flusher.disconnect();
  expect(report.coordinators).toMatchObject({ stale: 30_000, swept: 30_000 });
  expect(report.chunks).toBeGreaterThan(15);
  expect(await redis().dbsize()).toBe(0);
});

test.each(['swarm', 'flat'])(
  'a coordinator that beats right before its chunk keeps the keys it shares with words too, in schema %s (P1)',
  async (schema) => {
    const key = schema === 'flat' ? 'blocking:heartbeat:c' : heartbeatOf('c');
    await redis().set(key, beat(await old()));
    await redis().set('blocking:idempotency:c:word:ack:3:1', '1');
    const beater = new Redis(server.current.url);
    beater.on('error', () => {});
    let scripts = 0;
    const report = await run({
      settings: { schema },
      before: async (name) => {
        if (name === 'evalsha' && ++scripts === 1) await beater.set(key, beat(await nowOf(beater)));
      },
    });
    beater.disconnect();
    expect(report).toMatchObject({ coordinators: { revived: 1, swept: 0 }, keys: { deleted: 0 } });
    expect(await keysIn(redis())).toEqual([key, 'blocking:idempotency:c:word:ack:3:1'].sort());
  },
);
