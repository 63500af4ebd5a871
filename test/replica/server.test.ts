import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanWhatAnswers } from '../support/cleanup.ts';
import { command } from '../support/command.ts';
import { callsAt, SCANS_ASKED, usePair } from '../support/replica.ts';
import { ACTIVE, keysIn, settle, writeAll } from '../support/world.ts';

const pair = usePair();
const SILENT = 3_600;
/** What a connection says of itself before it asks anything. */
const GREETING = ['hello', 'auth', 'select', 'ping', 'client|setinfo', 'client|setname', 'info', 'time'];
const OF_FIXTURE = ['config|resetstat', 'config|get', 'replconf', 'psync'];

function foreignTo(calls: Readonly<Record<string, number>>, known: readonly string[]): string[] {
  return Object.keys(calls).filter((name) => !known.includes(name) && !OF_FIXTURE.includes(name));
}

async function populate(): Promise<void> {
  const { redis } = pair.current.primary;
  for (let i = 0; i < 40; i++) await settle(redis, `c${i}`, i % 4 === 0 ? ACTIVE : SILENT, `s${i % 3}`);
  await settle(redis, 'twice', SILENT, 'a');
  await settle(redis, 'twice', ACTIVE, 'b');
  await writeAll(redis, {
    'blocking:idempotency:c1:c2:update:1:2': '1',
    'blocking:idempotency:c1:c4:update:1:2': '1',
    'blocking:ack:nobody:1': '1',
  });
}

describe('a run that reads a replica', () => {
  test('finds and removes what one at the primary does, whatever lies there', async () => {
    const { primary, replica, settings, inStep } = pair.current;
    const word = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    const worlds = fc.array(
      fc.record({
        id: word,
        swarm: fc.constantFrom('s', 't'),
        silent: fc.constantFrom(ACTIVE, 500, 700, SILENT),
        with: word,
      }),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(worlds, async (world) => {
        const write = async () => {
          await primary.redis.flushall();
          for (const one of world) {
            await settle(primary.redis, one.id, one.silent, one.swarm);
            await primary.redis.set(`blocking:idempotency:${one.id}:${one.with}:done:1`, '1');
          }
        };
        await write();
        const there = await cleanWhatAnswers(primary.url);
        const left = await keysIn(primary.redis);
        await write();
        const dry = await cleanWhatAnswers(primary.url, { settings, dryRun: true });
        const here = await cleanWhatAnswers(primary.url, { settings });
        expect(await keysIn(primary.redis)).toEqual(left);
        await inStep();
        expect(await keysIn(replica.redis)).toEqual(left);
        expect({ ...here.coordinators, ...here.keys }).toEqual({ ...there.coordinators, ...there.keys });
        expect(dry.keys).toEqual({ ...here.keys, deleted: 0 });
      }),
      { numRuns: 15 },
    );
  });

  test('asks the primary for TIME and INFO alone when it is dry', async () => {
    const { primary, replica, settings } = pair.current;
    await populate();
    const told: string[] = [];
    await primary.redis.config('RESETSTAT');
    const report = await cleanWhatAnswers(primary.url, {
      settings: { ...settings, orphans: ['ack'] },
      dryRun: true,
      observer: { phase: (phase, sentence) => told.push(`${phase}: ${sentence}`) },
    });
    expect(report.coordinators).toMatchObject({ checked: 42, active: 11, stale: 31 });
    expect(report.keys.found).toBeGreaterThan(100);
    expect(foreignTo(await callsAt(primary), GREETING)).toEqual([]);
    expect(told.join('\n')).toContain(
      `mark: looking for stale coordinators, as the replica at ${replica.url} shows them`,
    );
  });

  test('walks and reads nothing at the primary, and proves there what goes', async () => {
    const { primary, settings } = pair.current;
    await populate();
    const fillers = Array.from({ length: 20_000 }, (_, i) => [`filler:${i}`, '1']);
    await writeAll(primary.redis, Object.fromEntries(fillers));
    await primary.redis.config('RESETSTAT');
    const report = await cleanWhatAnswers(primary.url, { settings });
    const calls = await callsAt(primary);
    expect(report.coordinators).toMatchObject({ stale: 31, swept: 31, revived: 0 });
    // Whether it may do each of these is asked beforehand, of a script too.
    expect(calls.scan).toBe(SCANS_ASKED);
    expect(calls.mget).toBeLessThanOrEqual(report.chunks + 2);
    expect([calls.object, calls['object|idletime'], calls.pttl]).toEqual([undefined, undefined, undefined]);
  });
});

describe('doctor', () => {
  const doctor = async (env: Record<string, string>): Promise<string> =>
    (await command(['doctor', '--json'], { REDIS_URL: pair.current.primary.url, ...env })).stdout;

  test('says which replica is read, and how far behind it is; and what stands in the way of another', async () => {
    const { replica } = pair.current;
    const said = await doctor({
      STALESWEEP_READ_FROM: 'replica',
      STALESWEEP_REPLICAS: `redis://127.0.0.1:1,${replica.url}`,
    });
    expect(said).toContain('Redis at redis://127.0.0.1:1 could not be reached');
    expect(said).toMatch(new RegExp(`the replica at ${replica.url} is read, and is \\d+ bytes behind its primary`));
    expect(said).not.toContain('no run begins');
  });

  test('warns where none is found', async () => {
    expect(await doctor({ STALESWEEP_READ_FROM: 'replica' })).toMatch(/no replica is found .*, so no run begins/);
  });
});
