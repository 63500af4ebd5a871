import { expect, test } from 'vitest';
import { fingerprintOf } from '../../src/config/fingerprint.ts';
import { givenBack } from '../../src/ledger/targets/restored.ts';
import { restore, type Restored, type Wanted } from '../../src/restore/restore.ts';
import { clean, targetOf } from '../support/cleanup.ts';
import { command } from '../support/command.ts';
import { useRedis } from '../support/leaks.ts';
import { ledgerIn } from '../support/pastRuns.ts';
import { sweepRecorded } from '../support/recordedRun.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { belongingsOf, everythingOf, settle, STALE } from '../support/world.ts';

/** Which of the things in the trash come back: by the id of who could own them, by the run that took them, or by both. */
const server = useRedis();
const KEPT = { trash: '1h' };
/** What goes without scripts, and may fill the trash and empty it. */
const MORE = ['+renamenx', '+pexpire', '+persist', '+set', '+pttl'];
const [SIGNAL = '', ACK = ''] = belongingsOf('c1');
const C1 = { coordinator: Buffer.from('c1') };

/** Writes all that `c1` has, each with this value, and lets a run that the ledger knows take it. */
async function sweepAgain(run: string, value: string): Promise<void> {
  const { redis, url } = server.current;
  const keys = await settle(redis, 'c1', STALE + 10);
  await Promise.all(belongingsOf('c1').map(async (key) => await redis.set(key, value)));
  await sweepRecorded(redis, url, { run, settings: KEPT });
  expect(await redis.exists(...keys)).toBe(0);
}

async function bring(wanted: Wanted): Promise<Restored & { said: readonly string[] }> {
  const { redis, url } = server.current;
  const said: string[] = [];
  const back = await restore(targetOf(url, KEPT), wanted, {
    ledger: ledgerIn(redis),
    warn: (sentence) => void said.push(sentence),
  });
  return { ...back, said };
}

test('what could be somebody’s comes back, whichever run took it: one that the ledger does not know, one that swept orphans', async () => {
  const { redis, url } = server.current;
  await sweepAgain('first', 'old');
  // Its heartbeat stays in the trash, so that what comes back is an orphan, and goes as one.
  await bring(C1);
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  const dump = await redis.dumpBuffer(ACK);
  await redis.call('RESTORE', ACK, '0', dump, 'REPLACE', 'IDLETIME', '5000');
  await settle(redis, 'lives', 0);
  await sweepRecorded(redis, url, { run: 'second', settings: { ...KEPT, orphans: ['ack'] } });
  await redis.config('SET', 'maxmemory-policy', 'noeviction');
  expect(await redis.exists(ACK)).toBe(0);
  expect(await bring(C1)).toMatchObject({ restored: 1, said: [] });
  expect(await redis.get(ACK)).toBe('old');

  await settle(redis, 'c1', STALE + 10);
  await redis.set(SIGNAL, 'new');
  await clean(url, { settings: KEPT, run: 'third' });
  expect(await redis.exists(SIGNAL)).toBe(0);
  await bring(C1);
  expect(await redis.get(SIGNAL), 'the last that went, though nobody noted that run').toBe('new');
});

test('of what went more than once the last comes back, and that is said; the earlier one by its run, and that is noted of it alone', async () => {
  const { redis, url } = server.current;
  await sweepAgain('first', 'old');
  await sweepAgain('second', 'new');
  const all = belongingsOf('c1').length;
  const back = await bring(C1);
  expect(back).toMatchObject({
    restored: all,
    said: [`of ${all} of these keys, what an earlier run took lies in the trash, too; it comes back by that run alone`],
  });
  expect(await redis.get(SIGNAL)).toBe('new');
  const noted = await ledgerIn(redis).restored({ target: 'default', fingerprint: fingerprintOf(targetOf(url, KEPT)) });
  expect(noted, 'of the run that had taken it').toMatchObject([{ run: 'second', restored: all }]);
  await redis.del(...belongingsOf('c1'));
  await redis.del(...(await redis.keys('{stalesweep}:*')));

  await sweepAgain('third', 'newest');
  expect(await bring({ run: 'first', ...C1 })).toMatchObject({ restored: all, said: [] });
  expect(await redis.get(SIGNAL)).toBe('old');
  const notes = await ledgerIn(redis).restored({ target: 'default', fingerprint: fingerprintOf(targetOf(url, KEPT)) });
  const isGiven = (run: string, coordinator?: Buffer) =>
    givenBack(notes, { run, coordinator, atMs: 0, trashMs: 1e15 }) !== null;
  expect([isGiven('first', C1.coordinator), isGiven('first', Buffer.from('c2')), isGiven('first')]).toEqual([
    true,
    false,
    false,
  ]);
  expect(isGiven('third', C1.coordinator), 'it lies in the trash still').toBe(false);
});

test('what two runs took in the same second comes back as one of them took it, the later one', async () => {
  const { redis } = server.current;
  for (const [first, second] of [
    ['9', '10'],
    ['01a21e60-c8e2', '01a21e60-cacc'],
  ] as const) {
    await redis.flushall();
    // The later one first, so that it is not the order in which they stand there that tells.
    for (const run of [second, first]) await sweepAgain(run, run);
    for (const key of await redis.keys('stalesweep:trash:*')) {
      await redis.rename(key, key.replace(/^(stalesweep:trash:)[^:]+/, '$1zzzzz'));
    }
    await bring(C1);
    expect(await Promise.all(belongingsOf('c1').map(async (key) => await redis.get(key)))).toEqual(
      belongingsOf('c1').map(() => second),
    );
  }
});

test.each(STRATEGIES)('says of how many nobody knows any more how long they had to live, by %s', async (_, rules) => {
  const { redis } = server.current;
  const url = await urlFor(server.current, rules === null ? null : [...rules, ...MORE]);
  const keys = await settle(redis, 'c1', STALE + 10);
  await redis.pexpire(SIGNAL, 5_000_000);
  for (const evicted of [false, true]) {
    await clean(url, { settings: KEPT });
    // As Redis evicts it.
    if (evicted) await redis.del(await redis.keys('stalesweep:trash-ttl:*'));
    for (const dryRun of [true, false]) {
      const said: string[] = [];
      const warn = (sentence: string) => void said.push(sentence);
      const back = await restore(targetOf(url, KEPT), C1, { heartbeats: true, dryRun, warn });
      expect(back.restored).toBe(keys.length);
      const those = new RegExp(`time to live ${keys.length} of these keys had is not known`);
      expect(said).toEqual(evicted ? [expect.stringMatching(those)] : []);
    }
    expect((await redis.pttl(SIGNAL)) > 0).toBe(!evicted);
  }
});

test('says that nothing else lies there, where heartbeats may', async () => {
  const { redis, url } = server.current;
  await sweepAgain('first', 'old');
  const restored = async (...args: string[]) =>
    (await command(['restore', 'c1', ...args], { REDIS_URL: url })).stdout.trim();
  expect(await restored()).toMatch(/^\d keys restored, no heartbeats/);
  await redis.del(...belongingsOf('c1'));
  expect(await restored()).toBe('0 keys restored, no heartbeats (--heartbeats): nothing else of it lies in the trash');
  expect(await restored('--heartbeats')).toBe('1 key restored');
  await redis.del(...everythingOf('c1'));
  expect(await restored('--heartbeats')).toBe('0 keys restored: nothing of it lies in the trash');
});
