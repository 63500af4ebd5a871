import { expect, describe, test } from 'vitest';
import { sentenceOf } from '../../src/domain/failure.ts';
import { Bulk } from '../../src/redis/call/bulk.ts';
import type { Argument } from '../../src/redis/call/wire.ts';
import { explain } from '../../src/redis/connection/explain.ts';
import { aclLine, WAYS, type Way } from '../../src/redis/rights/permissions.ts';
import { type CleanOptions, clean, targetOf } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { addUser, UNSCRIPTED } from '../support/users.ts';
import { ACTIVE, beat, keysIn, nowOf, settle, STALE, writeAll } from '../support/world.ts';

const server = useRedis();
const withoutEval = useRedis(['--rename-command', 'EVAL', '', '--rename-command', 'EVALSHA', '']);
const SILENT = 3_600;

/** Coordinators of both schemas, stale and active, with a key of each family, and an orphan. */
async function populate(): Promise<void> {
  const { redis } = server.current;
  await redis.script('FLUSH');
  for (const [id, silent] of [
    ['c1', SILENT],
    ['c2', ACTIVE],
  ] as const) {
    await settle(redis, id, silent);
    const at = (await nowOf(redis)) - silent * 1000;
    await writeAll(redis, {
      [`blocking:heartbeat:${id}`]: beat(at, id),
      [`coordinator:activity:${id}`]: '1',
      [`blocking:state:${id}`]: '1',
    });
  }
  await redis.set('blocking:ack:nobody:1', 'a value of its own');
}

/** What a run by this user ends with: its report, or the sentence an operator reads. */
async function outcomeOf(rules: readonly string[], options: CleanOptions) {
  const url = await addUser(server.current, rules);
  const warnings: string[] = [];
  const observer = { warn: (sentence: string) => warnings.push(sentence) };
  try {
    return { report: await clean(url, { ...options, observer }), sentence: '', warnings };
  } catch (error) {
    return { report: null, sentence: sentenceOf(explain(error, targetOf(url, options.settings))), warnings };
  }
}

function countOf(args: readonly Argument[]): number {
  return args.reduce<number>((sum, arg) => sum + (arg instanceof Bulk ? arg.count : 1), 0);
}

/** The rules of an ACL line. */
function rulesOf(line: string): string[] {
  expect(line).toMatch(/^ACL SETUSER stalesweep on >secret ~/);
  return line.split(' ').slice(5);
}

describe.each(['swarm', 'flat'])('the smallest ACL line of schema %s', (schema) => {
  describe.each<[Way, object]>(
    WAYS.flatMap((way) => [
      [way, {}],
      [way, { orphans: ['ack'] }],
    ]),
  )('for a %s, %j', (way, more) => {
    const settings = { schema, ...more };
    const dryRun = way === 'dry run';
    const rules = rulesOf(aclLine(targetOf('redis://localhost', settings), way));

    test('is enough', async () => {
      await populate();
      const dry = await clean(server.current.url, { settings, dryRun: true });
      const { report, sentence, warnings } = await outcomeOf(rules, { settings, dryRun });
      expect(sentence).toBe('');
      expect(report).toMatchObject({ outcome: 'completed', strategy: way === 'transaction' ? way : 'script' });
      expect(report?.keys).toEqual({ ...dry.keys, deleted: dryRun ? 0 : dry.keys.found });
      expect(report?.keys.found).toBe(7);
      expect(warnings).toHaveLength(way === 'transaction' ? 1 : 0);
    });

    // Without the one heartbeats are taken to expire, without the others newcomers are looked for by another pass, or nobody says
    // what would be freed.
    const optional = ['+pttl', '+memory|usage', ...('orphans' in more ? [] : ['+object|idletime', '+object|refcount'])];
    test.each(optional.filter((rule) => rules.includes(rule)))('makes do without %s', async (rule) => {
      await populate();
      const without = rules.filter((one) => one !== rule);
      const { report } = await outcomeOf(without, { settings, dryRun });
      expect(report?.keys).toMatchObject({ found: 7, deleted: dryRun ? 0 : 7 });
    });

    const needed = rules.filter((rule) => rule.startsWith('+') && !optional.includes(rule));
    test.each(needed)('says so without %s, and removes nothing', async (rule) => {
      await populate();
      const before = await keysIn(server.current.redis);
      const { report, sentence, warnings } = await outcomeOf(
        rules.filter((one) => one !== rule),
        { settings, dryRun },
      );
      expect(await keysIn(server.current.redis)).toEqual(before);
      if (rule === '+info' && dryRun) {
        expect(report?.keys.found).toBe(7);
        expect(warnings.join()).toContain('grant the user +info');
        return;
      }
      expect(sentence).toContain(rule === '+info' ? 'without INFO' : `may not run `);
      expect(sentence).toContain(rule.slice(1).toUpperCase());
      expect(sentence).toContain(rule);
    });

    test.each(rules.filter((rule) => rule.startsWith('~')))('says so without %s', async (rule) => {
      await populate();
      const { sentence } = await outcomeOf(
        rules.filter((one) => one !== rule),
        { settings, dryRun },
      );
      expect(sentence).toContain('may not touch all keys of the schema');
      expect(sentence).toContain(rule);
    });
  });
});

describe('a database other than the first', () => {
  test('needs +select, and is never mistaken for the first without it (P8)', async () => {
    await populate();
    const before = await keysIn(server.current.redis);
    const target = targetOf('redis://localhost/3');
    for (const way of WAYS) {
      const rules = rulesOf(aclLine(target, way));
      expect(rules).toContain('+select');
      const url = await addUser(server.current, rules);
      const report = await clean(`${url}/3`, { dryRun: way === 'dry run' });
      expect(report.coordinators.checked).toBe(0);
      const without = await addUser(
        server.current,
        rules.filter((rule) => rule !== '+select'),
      );
      await expect(clean(`${without}/3`)).rejects.toThrow('/3 may not run SELECT; grant it +select');
    }
    expect(await keysIn(server.current.redis)).toEqual(before);
  });

  test('is cleaned by transaction, too', async () => {
    const { redis } = server.current;
    await redis.select(3);
    try {
      await settle(redis, 'c1', SILENT);
      const report = await clean(`${await addUser(server.current, [...UNSCRIPTED, '+select'])}/3`);
      expect(report).toMatchObject({ strategy: 'transaction', coordinators: { swept: 1 } });
      expect(await redis.dbsize()).toBe(0);
    } finally {
      await redis.select(0);
    }
  });

  test('that the server does not have is refused (P8)', async () => {
    await expect(clean(`${server.current.url}/99`)).rejects.toThrow('/99 has no database 99');
  });
});

describe('a user who may only read', () => {
  const reader = ['~*', '+@read', '+info', '+time', '-@write'];

  test('is refused a real run before it walks the keyspace, with all that is missing in one sentence', async () => {
    await populate();
    const sent: string[] = [];
    const { sentence } = await outcomeOf(reader, { before: (name) => sent.push(name) });
    expect(sentence).toBe(
      `the user of redis://stalesweep:***@127.0.0.1:${server.current.port} may not run UNLINK, EVALSHA, WATCH, MULTI, ` +
        'EXEC, DISCARD; grant it +unlink, and either +eval +evalsha or +watch +multi +exec +discard',
    );
    expect(sent).not.toContain('scan');
  });

  test('may do a dry run (P7)', async () => {
    await populate();
    expect((await outcomeOf(reader, { dryRun: true })).report).toMatchObject({ dryRun: true, keys: { found: 7 } });
  });
});

describe('a run that can not call scripts', () => {
  const world = async (redis = server.current.redis): Promise<void> => {
    for (let i = 0; i < 300; i++) await settle(redis, `c${i}`, i % 3 === 0 ? ACTIVE : STALE + 60);
  };
  const swept = { strategy: 'transaction', coordinators: { stale: 200, swept: 200, active: 100, revived: 0 } };

  test('because the server has no EVAL goes by transaction, and says so once', async () => {
    await world(withoutEval.current.redis);
    const warnings: string[] = [];
    const report = await clean(withoutEval.current.url, {
      settings: { callBudget: '0.1ms' },
      observer: { warn: (sentence) => warnings.push(sentence) },
    });
    expect(report).toMatchObject({ ...swept, keys: { deleted: 1_400 } });
    expect(report.chunks).toBeGreaterThan(1);
    expect(await withoutEval.current.redis.dbsize()).toBe(700);
    expect(warnings).toEqual([
      'no scripts here (the server does not know EVALSHA): the run goes on by transaction, with WATCH and MULTI',
    ]);
  });

  test('any more, since that was taken from the user on the way, goes on by transaction, and says so once', async () => {
    await world();
    let taken: unknown;
    const { report, warnings } = await outcomeOf([...UNSCRIPTED, '+@scripting'], {
      settings: { callBudget: '0.1ms' },
      before: (name) => {
        if (name !== 'evalsha') return;
        taken ??= server.current.redis.call('ACL', 'SETUSER', 'stalesweep', '-@scripting');
        return taken;
      },
    });
    expect(report).toMatchObject({ ...swept, keys: { deleted: 1_400 } });
    expect(warnings).toEqual([
      'no scripts here (the user may not run EVALSHA): the run goes on by transaction, with WATCH and MULTI',
    ]);
  });

  test('removes as much, call by call in bounded chunks (P6)', async () => {
    const { redis } = server.current;
    const value = beat((await nowOf(redis)) - SILENT * 1000);
    await writeAll(
      redis,
      Object.fromEntries(Array.from({ length: 8_000 }, (_, i) => [`blocking:heartbeat:c${i}`, value])),
    );
    const watched: number[] = [];
    const { report } = await outcomeOf(UNSCRIPTED, {
      settings: { schema: 'flat', callBudget: '10s' },
      before: (name, args) => name === 'watch' && watched.push(countOf(args)),
    });
    expect(report).toMatchObject({ strategy: 'transaction', coordinators: { swept: 8_000 } });
    expect(Math.max(...watched)).toBeLessThanOrEqual(1_000);
    expect(await redis.dbsize()).toBe(0);
  });

  test('keeps its promises to a user whose patterns are narrower than the schema (P8)', async () => {
    const { redis } = server.current;
    for (const swarm of ['mine', 'theirs']) await settle(redis, `c-${swarm}`, SILENT, swarm);
    const rules = ['~swarm:*', '~blocking:*:c-mine*', ...UNSCRIPTED.filter((rule) => rule !== '~*')];
    const { sentence } = await outcomeOf(rules, {});
    expect(sentence).toContain('may not touch all keys of the schema');
    expect(await redis.exists('swarm:theirs:blocking:heartbeat:c-theirs', 'swarm:mine:blocking:heartbeat:c-mine')).toBe(
      2,
    );
    const report = await clean(await addUser(server.current, [...rules, '~blocking:*']));
    expect(report.coordinators.swept).toBe(2);
  });
});
