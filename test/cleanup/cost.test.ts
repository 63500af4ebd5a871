/** What a run costs, in counts and not in time, so that every machine sees the same. When one of these grows, the
 * benchmark says whether it was worth it. */
import { expect, test } from 'vitest';
import { compileSchema } from '../../src/schema/keySchema.ts';
import { SHIPPED_SCHEMAS } from '../../src/schema/shipped.ts';
import type { Report } from '../../src/domain/report.ts';
import { populate } from '../../src/redis/sample/populate.ts';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';

const server = useRedis();

const COORDINATORS = 4_000;
/** No call ever takes this long, so sizes grow as far as they may, whatever the machine. */
const UNHURRIED = { callBudget: '10s' };

async function fill(schema: string, stale: number, foreign = 0) {
  const { redis } = server.current;
  await redis.flushall();
  const families = SHIPPED_SCHEMAS[schema] ?? { families: {} };
  const sample = { coordinators: COORDINATORS, stale, acks: 2, idempotency: 1, staleAfterSeconds: 600 };
  await populate(redis, compileSchema(schema, families), sample);
  await redis.eval(`for i = 1, ARGV[1] do redis.call('SET', 'session:' .. i, '1') end`, 0, foreign);
}

interface Cost {
  readonly report: Report;
  /** Commands by name, those inside scripts among them. */
  readonly commands: Readonly<Record<string, number>>;
  /** Bytes that Redis received and sent. */
  readonly received: number;
  readonly sent: number;
}

async function costOf(schema: string, settings: object = {}): Promise<Cost> {
  const { redis, url } = server.current;
  const bytes = async () => {
    const stats = await redis.info('stats');
    const read = (field: string) => Number(new RegExp(`${field}:(\\d+)`).exec(stats)?.[1]);
    return { received: read('total_net_input_bytes'), sent: read('total_net_output_bytes') };
  };
  await redis.call('SCRIPT', 'FLUSH');
  const before = await bytes();
  await redis.call('CONFIG', 'RESETSTAT');
  const report = await clean(url, { settings: { schema, ...UNHURRIED, ...settings } });
  const after = await bytes();
  const lines = (await redis.info('commandstats')).matchAll(/cmdstat_([^:]+):calls=(\d+)/g);
  const commands = Object.fromEntries([...lines].map(([, name, calls]) => [name, Number(calls)]));
  // RESETSTAT began to count anew.
  expect(before.received).toBeGreaterThan(0);
  return { report, commands, received: after.received, sent: after.sent };
}

function per1000(amount: number) {
  return amount / (COORDINATORS / 1_000);
}

test.each([
  // A quarter above what was seen: how large pages are, and with that how often a name is sent twice, follows from when the
  // server's own times are known.
  ['flat', { received: 630_000, sent: 575_000 }],
  ['swarm', { received: 845_000, sent: 740_000 }],
])('%s: what 1,000 coordinators cost when nearly all are stale', async (schema, most) => {
  await fill(schema, COORDINATORS * 0.99);
  const { report, commands, received, sent } = await costOf(schema);

  expect(report.coordinators.swept).toBe(COORDINATORS * 0.99);
  // Two-party keys of neighbours in different calls take the proof of both; Redis is asked for its own time, and to tell of births.
  expect(per1000(report.redis.calls)).toBeLessThanOrEqual(16);
  // One for each family of a call, and one more for each 4,000 keys. How many calls there are until they are as large as they
  // may be depends on when Redis' own time is known: 8 to 11 were seen here.
  const calls = (commands.evalsha ?? 0) + (commands.eval ?? 0);
  const slices = report.keys.deleted / 4_000;
  expect(commands.unlink).toBeLessThanOrEqual(calls * Object.keys(report.keys.byFamily).length + slices);
  expect(per1000(calls)).toBeLessThanOrEqual(3.5);
  // One pass: of those who are born during it the server tells.
  expect(per1000(commands.scan ?? 0)).toBeLessThanOrEqual(2.5);
  expect(per1000(commands.mget ?? 0)).toBeLessThanOrEqual(8);
  expect(per1000(received)).toBeLessThanOrEqual(most.received);
  expect(per1000(sent)).toBeLessThanOrEqual(most.sent);
});

test.each(['flat', 'swarm'])('%s: one pass and one reading of the heartbeats when nobody is stale', async (schema) => {
  await fill(schema, 0, 20_000);
  const { report, commands } = await costOf(schema);

  expect(report.coordinators).toMatchObject({ active: COORDINATORS, stale: 0 });
  // 44,000 keys and more, in pages of up to 8,000.
  expect(commands.scan).toBeLessThanOrEqual(20);
  // The first ones are small, since nobody knows how large values are.
  expect(commands.mget).toBeLessThanOrEqual(30);
  expect(Object.keys(commands).sort()).toEqual(expect.not.arrayContaining(['keys', 'get', 'del', 'unlink', 'evalsha']));
});

test('asks for every page and every heartbeat once a round, and for no more rounds than the memory makes needed (P9)', async () => {
  await fill('flat', COORDINATORS);
  const whole = await costOf('flat');
  await fill('flat', COORDINATORS);
  const { redis, url } = server.current;
  await redis.call('CONFIG', 'RESETSTAT');
  // A quarter of what one round needs, filters and all.
  const report = await clean(url, { settings: { schema: 'flat', ...UNHURRIED }, memoryBudgetBytes: 512 * 1024 });
  const scans = Number(/cmdstat_scan:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1]);

  expect(report.coordinators).toEqual(whole.report.coordinators);
  expect(report.keys).toEqual(whole.report.keys);
  expect(scans).toBeGreaterThan(whole.commands.scan ?? 0);
  expect(scans).toBeLessThanOrEqual(8 * (whole.commands.scan ?? 0));
});
