/** Who goes, as `run --list` has it: with exact counts, in a dry run as in a real one, and the same in both. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Listing, lineOf, silenceOf } from '../../src/cli/output/listing.ts';
import { listedOf } from '../../src/direct/listed.ts';
import { bytesOf } from '../../src/domain/nameText.ts';
import { clean, targetOf } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { beat, heartbeatOf, nowOf, writeAll } from '../support/world.ts';

const server = useRedis();
const { families } = targetOf('redis://127.0.0.1').schema;

/** What one coordinator may have beside its heartbeat, by family; the last it shares with the next one. */
function remainsOf(id: string, next: string, swarm: string): readonly (readonly [string, string])[] {
  return [
    ['signal', `blocking:signal:${id}`],
    ['ack', `blocking:ack:${id}:1`],
    ['ack', `blocking:ack:${id}:2`],
    ['idempotency', `blocking:idempotency:${id}`],
    ['activity', `swarm:${swarm}:agent:${id}:activity`],
    ['state', `swarm:${swarm}:blocking:${id}`],
    ['idempotency', `blocking:idempotency:${id}:${next}:completion:1:2`],
  ];
}

const worlds = fc.record({
  coordinators: fc.array(
    fc.record({
      has: fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
      swarm: fc.constantFrom('s1', 's2', 's3'),
      silentSeconds: fc.constantFrom(10, 1_000, 5_000),
    }),
    { minLength: 1, maxLength: 150 },
  ),
  memoryBudgetBytes: fc.constantFrom(undefined, 20_000),
});

interface Line {
  readonly coordinator: string;
  readonly swarm: string;
  readonly silenceSeconds: number;
  readonly keys: Readonly<Record<string, number | null>>;
}

describe.each(STRATEGIES)('by %s', (_, rules) => {
  test('everybody who goes is listed once, with what goes with it, in a dry run and in a real one', async () => {
    const { redis } = server.current;
    const url = await urlFor(server.current, rules);
    await fc.assert(
      fc.asyncProperty(worlds, async ({ coordinators, memoryBudgetBytes }) => {
        await redis.flushall();
        const now = await nowOf(redis);
        const world: Record<string, string> = {};
        const own = new Map<string, Line>();
        for (const [i, { has, swarm, silentSeconds }] of coordinators.entries()) {
          const id = `c${i}`;
          const keys: Record<string, number> = Object.fromEntries(families.map((family) => [family, 0]));
          world[heartbeatOf(id, swarm)] = beat(now - silentSeconds * 1000, id);
          keys.heartbeat = 1;
          for (const [n, [family, name]] of remainsOf(id, `c${i + 1}`, swarm).entries()) {
            if (!has[n]) continue;
            world[name] = 'a value';
            if (n < 6) keys[family] = (keys[family] ?? 0) + 1;
          }
          if (silentSeconds > 600) own.set(id, { coordinator: id, swarm, silenceSeconds: silentSeconds, keys });
        }
        await writeAll(redis, world);
        const listed = async (dryRun: boolean) => {
          const lines: Line[] = [];
          const { list } = new Listing(families, true, async (text) => {
            lines.push(
              ...text
                .trimEnd()
                .split('\n')
                .map((line) => JSON.parse(line) as Line),
            );
          });
          const budget = memoryBudgetBytes === undefined ? {} : { memoryBudgetBytes };
          const report = await clean(url, { dryRun, observer: { list }, ...budget });
          return { lines: lines.sort((a, b) => (a.coordinator < b.coordinator ? -1 : 1)), report };
        };
        const dry = await listed(true);
        const real = await listed(false);

        for (const { lines, report } of [dry, real]) {
          expect(lines.map(({ coordinator }) => coordinator)).toEqual([...own.keys()].sort());
          expect(report.coordinators.stale).toBe(lines.length);
          const sums = Object.fromEntries(
            families.map((one) => [one, lines.reduce((sum, { keys }) => sum + (keys[one] ?? Number.NaN), 0)]),
          );
          expect(sums).toEqual(report.keys.byFamily);
          for (const { coordinator, swarm, silenceSeconds, keys } of lines) {
            const due = own.get(coordinator);
            expect(swarm).toBe(due?.swarm);
            expect(silenceSeconds).toBeGreaterThanOrEqual(due?.silenceSeconds ?? Number.NaN);
            // What two who go share is listed with one of them.
            const { idempotency, ...rest } = keys;
            const { idempotency: least = Number.NaN, ...dueRest } = due?.keys ?? {};
            expect(rest).toEqual(dueRest);
            expect(idempotency).toBeGreaterThanOrEqual(least ?? Number.NaN);
          }
        }
        const keysOf = ({ lines }: { lines: Line[] }) => lines.map(({ coordinator, keys }) => ({ coordinator, keys }));
        expect(keysOf(dry)).toEqual(keysOf(real));
      }),
      { numRuns: 5 },
    );
  }, 120_000);
});

describe('a line', () => {
  const name = fc.oneof(fc.string({ minLength: 1, maxLength: 20 }), fc.string({ minLength: 1, maxLength: 300 }));

  test('fits 80 columns, says all counts, and is nothing that a terminal would obey', () => {
    fc.assert(
      fc.property(
        name,
        fc.option(name),
        fc.nat(10_000_000),
        fc.array(fc.option(fc.nat(1_000_000)), { minLength: 6, maxLength: 6 }),
        (coordinator, swarm, silentSeconds, keys) => {
          const whole = {
            coordinator: Buffer.from(coordinator),
            swarm: swarm === null ? null : Buffer.from(swarm),
            beatAtSeconds: 0,
            silentSeconds,
            lapsed: false,
            keys,
            swept: true,
          };
          const text = lineOf(whole, families);
          for (const line of text.split('\n')) {
            expect(line.length).toBeLessThanOrEqual(80);
            expect(line).not.toMatch(/\p{Cc}/u);
          }
          for (const [i, family] of families.entries()) {
            if (keys[i] !== 0) expect(text).toMatch(new RegExp(`\\b${family} ${keys[i] ?? '\\?'}(,|$)`, 'm'));
          }
          if (coordinator.length <= 60 && !/\p{Cc}/u.test(coordinator)) expect(text.startsWith(coordinator)).toBe(true);
        },
      ),
    );
  });

  test.each([
    [0, '0s'],
    [59, '59s'],
    [60, '1m'],
    [601, '10m 1s'],
    [4_200, '1h 10m'],
    [86_400, '1d'],
    [86_400 * 40 + 3_601, '40d 1h'],
  ])('says of %d seconds %s', (seconds, said) => {
    expect(silenceOf(seconds)).toBe(said);
  });
});

test('ids that are no UTF-8 are told apart wherever they are named, and each as it can be looked up', async () => {
  const { redis, url } = server.current;
  const stale = (await nowOf(redis)) - 3_600_000;
  const ids = [Buffer.from([0xff, 0xfe]), Buffer.from([0xff, 0xfd]), Buffer.from([0x80, 0x22]), Buffer.from('é')];
  const hearts = ids.map((id) => Buffer.concat([Buffer.from('blocking:heartbeat:'), id]));
  for (const heart of hearts) await redis.set(heart, beat(stale));
  const unread = ids.map((id) => Buffer.concat([Buffer.from('blocking:heartbeat:u'), id]));
  for (const heart of unread) await redis.set(heart, 'no JSON');
  const announced: string[] = [];
  const listener = redis.duplicate();
  listener.on('message', (_channel, said: string) => {
    for (const { id } of JSON.parse(said).coordinators) announced.push(id);
  });
  await listener.subscribe('gone');
  const listed: string[] = [];
  const report = await clean(url, {
    settings: { schema: 'flat', announce: { channel: 'gone' } },
    observer: {
      list: async (removals) => void listed.push(...removals.map((one) => listedOf(one, families).coordinator)),
    },
  });
  const sorted = (names: readonly (string | Buffer)[]) =>
    names.map((name) => bytesOf(String(name)).toString('hex')).sort();
  const inHex = (names: readonly Buffer[]) => names.map((name) => name.toString('hex')).sort();
  expect(sorted(listed)).toEqual(inHex(ids));
  expect(sorted(report.unreadable[0]?.sample ?? [])).toEqual(inHex(unread));
  await expect.poll(() => sorted(announced)).toEqual(inHex(ids));
  listener.disconnect();
});
