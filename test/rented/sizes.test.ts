import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { Blocks } from '../../src/ledger/blocks.ts';
import { useRedis } from '../support/leaks.ts';
import { RentedRedis, type Rule } from '../support/rented/proxy.ts';
import { all, repliesUpTo, requestsUpTo, without } from '../support/rented/rules.ts';
import { keysIn, settle } from '../support/world.ts';
import { leaveOrphans, outcomeOf, SILENT, STALE, settleWorld } from './large.ts';

const server = useRedis();

/** A rule that counts in how many calls it refused something. */
function counting(rule: Rule, refused: () => void): Rule {
  return (command) => {
    const verdict = rule(command);
    if (typeof verdict !== 'object') return verdict;
    if ('answer' in verdict) refused();
    if (!('change' in verdict)) return verdict;
    const change = (reply: string) => {
      const changed = verdict.change(reply);
      if (changed !== reply) refused();
      return changed;
    };
    return { change };
  };
}

const LIMITS: readonly (readonly [string, () => Rule])[] = [
  ['64 arguments', () => requestsUpTo({ args: 64 }, 'ERR too many arguments')],
  ['16 kB a request', () => requestsUpTo({ bytes: 16_384 }, 'ERR max request size exceeded. Limit: 16384 bytes')],
  ['20 elements a reply', () => repliesUpTo({ elements: 20 }, 'ERR response too large')],
  ['2 kB a reply', () => repliesUpTo({ bytes: 2_048 }, 'ERR reply exceeds the maximum size')],
];

describe.each(LIMITS)('a server that takes only %s', (_, rule) => {
  test.each([
    ['script', []],
    ['transaction', ['EVAL', 'EVALSHA']],
  ])('is cleaned by %s, in calls as small as it takes, of a size that is learnt once', async (strategy, refused) => {
    const after = await settleWorld(server.current);
    const before = await keysIn(server.current.redis);
    let refusals = 0;
    const door = all(
      without(refused),
      counting(rule(), () => refusals++),
    );
    const { report, sentence, warnings } = await outcomeOf(server.current, door);
    expect(sentence).toBe('');
    expect(await keysIn(server.current.redis)).toEqual(after);
    expect(report).toMatchObject({
      outcome: 'completed',
      strategy,
      coordinators: { active: 2, stale: STALE.length, swept: STALE.length, revived: 0 },
      keys: { deleted: before.length - after.length },
    });
    expect(warnings).not.toMatch(/lost|missing/);
    // Of the 500 acknowledgements alone there are more calls than that.
    expect(refusals).toBeLessThan(40);
  });

  test('tells a dry run the same numbers', async () => {
    const after = await settleWorld(server.current);
    const before = await keysIn(server.current.redis);
    const { report, sentence } = await outcomeOf(server.current, rule(), { dryRun: true });
    expect(sentence).toBe('');
    expect(report).toMatchObject({ keys: { found: before.length - after.length } });
    expect(await keysIn(server.current.redis)).toEqual(before);
  });
});

test.each(LIMITS)(
  'a run that is recorded, and so is told what was not there, ends where a server takes only %s',
  async (_, rule) => {
    const after = await settleWorld(server.current);
    const { redis } = server.current;
    for (const [n, id] of STALE.entries()) if (n % 2 === 0) await redis.del(`blocking:signal:${id}`);
    const { report, sentence } = await outcomeOf(server.current, rule(), { observer: { removed: () => {} } });
    expect(sentence).toBe('');
    expect(await keysIn(redis)).toEqual(after);
    expect(report?.coordinators).toMatchObject({ stale: STALE.length, swept: STALE.length, revived: 0 });
  },
);

test.each(LIMITS)('orphans go in calls as small as a server takes that takes only %s', async (_, rule) => {
  const after = await settleWorld(server.current);
  const { redis } = server.current;
  await leaveOrphans(redis);
  const { sentence } = await outcomeOf(server.current, rule(), { settings: { orphans: ['ack'] } });
  expect(sentence).toBe('');
  expect(await keysIn(redis)).toEqual(after);
});

test('where even one coordinator is too much for a call, a sentence says so', async () => {
  const { redis } = server.current;
  await settle(redis, 'stale', SILENT, 'a');
  for (let n = 0; n < 20; n++) await redis.set(`blocking:ack:stale:more${n}`, '1');
  const { report, sentence } = await outcomeOf(server.current, requestsUpTo({ args: 22 }, 'ERR too many arguments'));
  expect(report).toBeNull();
  expect(sentence).toMatch(
    /^Redis at \S+ takes no call as small as a run needs, not even the removal of one coordinator \(ERR too many arguments\); raise that limit, or use a server without it$/,
  );
  expect(await redis.exists('swarm:a:blocking:heartbeat:stale')).toBe(1);
});

test('the ledger asks and makes room in calls as small as its server takes', async () => {
  const { redis, port } = server.current;
  const rented = await RentedRedis.open(port, requestsUpTo({ args: 40 }, 'ERR too many arguments'));
  const far = new Redis(rented.url, { retryStrategy: null });
  try {
    const listed = Array.from({ length: 120 }, (_, n) => ({ name: `swept/a/${1_000 + n}`, atMs: n + 1 }));
    const near = new Blocks(redis, '{stalesweep}', { sizeBytes: 1_000_000, ageMs: 1e12 });
    // A filter of one byte, whose first bit the odd ones have.
    for (const [n, { name, atMs }] of listed.entries()) await near.write(name, Buffer.from([9, n % 2, 0]), { atMs });

    const blocks = new Blocks(far, '{stalesweep}', { sizeBytes: 10_000, ageMs: 1e12 });
    const found = await blocks.holding(listed, { before: 1, marker: 9, bytes: 1, bits: [0] });
    expect(found).toEqual(listed.filter((_, n) => n % 2 === 1));
    expect(await blocks.write('swept/a/last', Buffer.alloc(100), { atMs: 1_000 })).toBe(true);
    expect(Number(await redis.get('{stalesweep}:ledger:bytes'))).toBeLessThanOrEqual(10_000);
  } finally {
    far.disconnect();
    await rented.close();
  }
});
