import type { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { examine } from '../../src/cli/examine/doctor.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { sentenceOf } from '../../src/domain/failure.ts';
import { explain } from '../../src/redis/connection/explain.ts';
import { type CleanOptions, cleanWhatAnswers, targetOf } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { RentedRedis, type Rule } from '../support/rented/proxy.ts';
import { all, without } from '../support/rented/rules.ts';
import { type Outcome, SERVICES } from '../support/rented/services.ts';
import { ACTIVE, beat, everythingOf, keysIn, nowOf, settle, writeAll } from '../support/world.ts';

const server = useRedis();
const SILENT = 3_600;
const SHARED = {
  stays: 'blocking:idempotency:stale1:active:done:1',
  goes: 'blocking:idempotency:stale1:stale2:done:1',
};
const ORPHAN = 'blocking:ack:nobody:1';

/** Of nobody, and idle for long. */
async function leaveOrphan(redis: Redis): Promise<void> {
  await redis.set('template', 'value');
  const payload = await redis.dumpBuffer('template');
  await redis.del('template');
  await redis.call('RESTORE', ORPHAN, '0', payload, 'REPLACE', 'IDLETIME', String(SILENT));
}

/** Two who are stale, one who lives, a key that two of them share each, one that is nobody's, and what is somebody else's. */
async function settleWorld(): Promise<{ readonly before: string[]; readonly after: string[] }> {
  const { redis } = server.current;
  await redis.script('FLUSH');
  for (const id of ['stale1', 'stale2']) await settle(redis, id, SILENT);
  await settle(redis, 'active', ACTIVE);
  for (const key of [...Object.values(SHARED), 'foreign']) await redis.set(key, '1');
  await leaveOrphan(redis);
  return {
    before: await keysIn(redis),
    after: [...everythingOf('active'), SHARED.stays, 'foreign', ORPHAN].sort(),
  };
}

/** What a run by way of this door comes to: its report, or the one sentence an operator reads. */
async function outcomeOf(rule: Rule, options: CleanOptions) {
  const rented = await RentedRedis.open(server.current.port, rule);
  onTestFinished(async () => await rented.close());
  try {
    return { report: await cleanWhatAnswers(rented.url, options), sentence: '', commands: rented.commands };
  } catch (error) {
    const sentence = sentenceOf(explain(error, targetOf(rented.url, options.settings)));
    return { report: null, sentence, commands: rented.commands };
  }
}

/** One sentence says why, and not how: no script, no trace. */
function expectSentence(sentence: string, pattern: RegExp): void {
  expect(sentence).toMatch(pattern);
  expect(sentence).toMatch(/^[^\n]{1,400}$/);
  expect(sentence).not.toMatch(/user_script|traceback|redis\.call|[0-9a-f]{40}/);
}

const WRITES = ['DEL', 'UNLINK', 'EVAL', 'EVALSHA', 'EXEC', 'SET', 'EXPIRE'];

describe.each(Object.entries(SERVICES))('%s', (_, { rule, outcome, withOrphans, dry = 'script' }) => {
  const ways: readonly (readonly [string, () => Rule, Outcome])[] = [
    ['as it is', rule, outcome],
    [
      'without scripts, too',
      () => all(rule(), without(['EVAL', 'EVALSHA'])),
      outcome === 'script' ? 'transaction' : outcome,
    ],
  ];

  test.each(ways)(
    '%s: what is stale goes, and nothing else, or a sentence says why not',
    async (_way, door, comesTo) => {
      const { before, after } = await settleWorld();
      const { report, sentence, commands } = await outcomeOf(door(), {});
      if (comesTo instanceof RegExp) {
        expectSentence(sentence, comesTo);
        expect(await keysIn(server.current.redis)).toEqual(before);
        return;
      }
      expect(sentence).toBe('');
      expect(report).toMatchObject({
        outcome: 'completed',
        strategy: comesTo,
        coordinators: { active: 1, stale: 2, swept: 2, revived: 0 },
        keys: { deleted: before.length - after.length, orphans: 1 },
      });
      expect(await keysIn(server.current.redis)).toEqual(after);
      expect(commands.map(([name]) => name)).not.toContain('DEL');
    },
  );

  test.each(ways)('%s: orphans go, or a sentence says why not', async (_way, door, comesTo) => {
    const { before, after } = await settleWorld();
    const { report, sentence } = await outcomeOf(door(), { settings: { orphans: ['ack'] } });
    const expected = comesTo instanceof RegExp ? (withOrphans ?? comesTo) : withOrphans;
    if (expected !== undefined) {
      expectSentence(sentence, expected);
      expect(await keysIn(server.current.redis)).toEqual(before);
      return;
    }
    expect(sentence).toBe('');
    expect(report).toMatchObject({ outcome: 'completed', strategy: comesTo });
    expect(await keysIn(server.current.redis)).toEqual(after.filter((key) => key !== ORPHAN));
  });

  test('a dry run writes nothing, and counts what a real one would remove, or a sentence says why not (P7)', async () => {
    const { before, after } = await settleWorld();
    const { report, sentence, commands } = await outcomeOf(rule(), { dryRun: true });
    if (dry instanceof RegExp) expectSentence(sentence, dry);
    else {
      expect(sentence).toBe('');
      expect(report).toMatchObject({ coordinators: { stale: 2 }, keys: { found: before.length - after.length } });
    }
    expect(commands.filter(([name = '']) => WRITES.includes(name))).toEqual([]);
    expect(await keysIn(server.current.redis)).toEqual(before);
  });
});

test.each(Object.entries(SERVICES))(
  'doctor says of %s what a run would, in sentences',
  async (_, { rule, outcome }) => {
    await settleWorld();
    const rented = await RentedRedis.open(server.current.port, rule());
    onTestFinished(async () => await rented.close());
    const config = resolveConfig({}, { REDIS_URL: rented.url, QUEUE_REDIS_URL: server.current.url });
    const findings = (await examine(config, [...config.targets.values()])).filter(({ target }) => target !== null);
    for (const { message, advice } of findings)
      expectSentence(`${message}${advice ?? ''}`.replaceAll(/ACL SETUSER.*/g, ''), /^/);
    const failed = findings.some(({ status }) => status === 'failed');
    expect({ failed, findings }).toMatchObject({ failed: outcome instanceof RegExp });
    const strategy = findings.find(({ check }) => check === 'strategy')?.message;
    if (!(outcome instanceof RegExp)) expect(strategy).toMatch(`a run removes by ${outcome}`);
  },
);

test.each([
  ['script', []],
  ['transaction', ['EVAL', 'EVALSHA']],
])('without restartGrace, a server without INFO is cleaned by %s', async (strategy, refused) => {
  const { after } = await settleWorld();
  const rule = all(without(refused), SERVICES.Upstash?.rule() ?? (() => 'pass'));
  const { report, sentence } = await outcomeOf(rule, { settings: { restartGrace: false } });
  expect(sentence).toBe('');
  expect(report).toMatchObject({ strategy, coordinators: { swept: 2 } });
  expect(await keysIn(server.current.redis)).toEqual(after);
});

test('a pattern that only later passes walk by, and the server does not take, is told before anything is removed', async () => {
  const { redis } = server.current;
  const beatAt = (await nowOf(redis)) - SILENT * 1000;
  const ids = Array.from({ length: 40 }, (_, n) => `c${n}`);
  for (const id of ids)
    await writeAll(redis, { [`agents:${id}:beat`]: beat(beatAt, id), [`agents:${id}:mail:1`]: '1' });
  const before = await keysIn(redis);
  // The first one walks by `agents:*`.
  const schemas = { mine: { heartbeat: 'agents:{coordinator}:beat', mail: 'agents:{coordinator}:mail:*' } };
  const { report, sentence } = await outcomeOf(SERVICES['Kvrocks of 2023']?.rule() ?? (() => 'pass'), {
    settings: { schema: 'mine', schemas, restartGrace: false },
    memoryBudgetBytes: 2_000,
  });
  expect(report).toBeNull();
  expectSentence(sentence, /does not take SCAN \(ERR only keys prefix match was supported\); a run needs that/);
  expect(await keysIn(redis)).toEqual(before);
});

// What a run asks for besides, to keep what it removes, and to say whom it swept.
test.each([
  ['XADD', { announce: { stream: 'told', maxLength: 10 } }],
  ['PERSIST', { trash: '1h' }],
  ['GETRANGE', { trash: '1h' }],
  ['RENAMENX', { trash: '1h' }],
  ['SISMEMBER', { announce: { channel: 'told' } }],
] as const)(
  'a server without %s is told of before anything is removed, where that is needed',
  async (name, settings) => {
    for (const way of [[], ['EVAL', 'EVALSHA']]) {
      const { before } = await settleWorld();
      const { report, sentence } = await outcomeOf(without([name, ...way]), { settings });
      expect(report).toBeNull();
      expectSentence(
        sentence,
        new RegExp(`does not take ${name} \\(ERR unknown command '${name.toLowerCase()}'\\); a run needs that`),
      );
      expect(await keysIn(server.current.redis)).toEqual(before);
    }
  },
);
