import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clean } from '../support/cleanup.ts';
import { command } from '../support/command.ts';
import { Sentinels } from '../support/sentinel.ts';
import { serverFiles } from '../support/tls.ts';
import { beat, heartbeatOf, keysIn, nowOf, settle } from '../support/world.ts';

const SETTINGS = { sentinel: { password: 'watch-it' } };
const folder = mkdtempSync(join(tmpdir(), 'stalesweep-tls-'));
let sentinels: Sentinels;
/** The same with TLS everywhere, and with users. */
let closed: Sentinels;

beforeAll(async () => {
  [sentinels, closed] = await Promise.all([
    Sentinels.start({ password: 'p-ss', sentinelPassword: SETTINGS.sentinel.password }),
    Sentinels.start({
      ...{ user: 'cleaner', password: 'p-ss', tls: serverFiles(folder) },
      ...{ sentinelUser: 'watcher', sentinelPassword: SETTINGS.sentinel.password },
    }),
  ]);
});
afterAll(async () => {
  await Promise.all([sentinels?.stop(), closed?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

test('finds the primary by its sentinels, with the passwords of both, and sweeps there', async () => {
  const { url, primary } = sentinels;
  const living = await settle(primary.redis, 'living', 1);
  await settle(primary.redis, 'c1', 3_600);
  const report = await clean(url, { settings: SETTINGS });
  expect(report.coordinators).toMatchObject({ active: 1, stale: 1, swept: 1 });
  expect(await keysIn(primary.redis)).toEqual(living.sort());
});

test.for([
  [
    'its sentinels by a wrong password',
    (url: string) => url,
    'wrong',
    /could not be reached: its sentinels refuse the user name or password/,
  ],
  [
    'the primary by a wrong password',
    (url: string) => url.replace('p-ss', 'wrong'),
    'watch-it',
    /it refused the user name or password/,
  ],
  [
    'a name that no sentinel knows',
    (url: string) => url.replace('mymaster', 'other'),
    'watch-it',
    /none of its sentinels names a primary "other"/,
  ],
  [
    'sentinels that are not there',
    () => 'redis+sentinel://127.0.0.1:1,127.0.0.1:2/mymaster',
    'watch-it',
    /could not be reached: none of its sentinels answers/,
  ],
] as const)(
  'says in one sentence, without a secret, why it does not find it: %s',
  async ([, change, password, sentence]) => {
    const failure = await clean(change(sentinels.url), { settings: { sentinel: { password } } }).catch(
      (error: Error) => error,
    );
    expect(String(failure)).toMatch(sentence);
    expect(String(failure)).not.toMatch(/p-ss|watch-it/);
  },
);

test('doctor says what the sentinels say', async () => {
  const env = { REDIS_URL: sentinels.url, STALESWEEP_SENTINEL_PASSWORD: SETTINGS.sentinel.password };
  const { stdout } = await command(['doctor', '--json'], env);
  expect(stdout).toContain(
    `3 of 3 answer; the primary is 127.0.0.1:${sentinels.primary.port}, with 1 replica; 2 must agree that it is down`,
  );
  expect(stdout).not.toMatch(/p-ss|watch-it/);
});

test('enters over TLS, as one user at the sentinels and as another at the servers, and says in one sentence who is refused', async () => {
  const env = {
    REDIS_URL: closed.url,
    STALESWEEP_TLS_CA: join(folder, 'ca.pem'),
    STALESWEEP_SENTINEL_USER: 'watcher',
    STALESWEEP_SENTINEL_PASSWORD: SETTINGS.sentinel.password,
  };
  const living = await settle(closed.primary.redis, 'living', 1);
  const stale = await settle(closed.primary.redis, 'c1', 3_600);
  const { code, stdout } = await command(['run', '--json'], env);
  expect({ code, report: JSON.parse(stdout) as unknown }).toMatchObject({
    code: 0,
    report: { coordinators: { active: 1, stale: 1, swept: 1 } },
  });
  const left = await keysIn(closed.primary.redis);
  expect([...living, ...stale].filter((key) => left.includes(key))).toEqual(living);
  expect((await command(['doctor', '--json'], env)).stdout).toContain('3 of 3 answer; the primary is 127.0.0.1:');
  for (const [wrong, sentence] of [
    [{ STALESWEEP_SENTINEL_PASSWORD: 'wrong' }, 'its sentinels refuse the user name or password'],
    [{ STALESWEEP_SENTINEL_USER: 'nobody' }, 'its sentinels refuse the user name or password'],
    [{ REDIS_URL: closed.url.replace('cleaner', 'nobody') }, 'it refused the user name or password'],
  ] as const) {
    const refused = await command(['run'], { ...env, ...wrong });
    expect(refused.code).toBe(1);
    expect(refused.stderr.trim().split('\n')).toEqual([expect.stringContaining(sentence)]);
    expect(refused.stderr).not.toMatch(/p-ss|watch-it/);
  }
});

test('a primary that dies in mid-run ends the run, and costs nobody anything whose last beat died with it (P1, P10)', async () => {
  const { url, primary, replica } = sentinels;
  await settle(primary.redis, 'revived', 3_600);
  await settle(primary.redis, 'stale', 3_600);
  await primary.redis.wait(1, 0);
  const all = await keysIn(replica.redis);
  let failedOver: Promise<void> | undefined;
  const failover = async () => {
    // What is written from here on dies with it.
    await primary.redis.config('SET', 'requirepass', 'another');
    await primary.redis.call('CLIENT', 'KILL', 'TYPE', 'replica');
    await primary.redis.set(heartbeatOf('revived'), beat(await nowOf(primary.redis), 'revived'));
    await sentinels.failOver();
  };
  const run = clean(url, {
    settings: SETTINGS,
    before: async (name) => {
      if (name !== 'evalsha' && name !== 'eval') return;
      failedOver ??= failover();
      await failedOver;
    },
  });
  await expect(run).rejects.toThrow(
    'is not the server any more that the run began with: what is stale must be judged anew',
  );
  expect(await keysIn(replica.redis)).toEqual(all);

  const told: string[] = [];
  const next = await clean(url, { settings: SETTINGS, observer: { warn: (sentence) => told.push(sentence) } });
  expect(next.coordinators).toMatchObject({ stale: 0, swept: 0 });
  expect(told.join('\n')).toMatch(
    /Redis came back with old data \d+s ago: nobody is stale before it has been up for 600s/,
  );
  expect(await keysIn(replica.redis)).toEqual(all);

  await replica.redis.set(heartbeatOf('revived'), beat(await nowOf(replica.redis), 'revived'));
  const last = await clean(url, { settings: { ...SETTINGS, restartGrace: false } });
  expect(last.coordinators).toMatchObject({ stale: 1, swept: 1 });
});
