import { afterAll, beforeAll, expect, test } from 'vitest';
import { cleanWhatAnswers } from '../support/cleanup.ts';
import { command } from '../support/command.ts';
import { callsAt, SCANS_ASKED } from '../support/replica.ts';
import { Sentinels } from '../support/sentinel.ts';
import { ACTIVE, keysIn, settle } from '../support/world.ts';

const SETTINGS = { sentinel: { password: 'watch-it' }, readFrom: 'replica' };
const SILENT = 3_600;
let sentinels: Sentinels;

beforeAll(async () => {
  sentinels = await Sentinels.start({ password: 'p-ss', sentinelPassword: SETTINGS.sentinel.password });
});
afterAll(async () => {
  await sentinels?.stop();
});

test('a run reads the replica that sentinels name, by the passwords of the primary', async () => {
  const { url, primary, replica } = sentinels;
  const living = await settle(primary.redis, 'living', ACTIVE);
  await settle(primary.redis, 'c1', SILENT);
  const told: string[] = [];
  for (const { redis } of [primary, replica]) await redis.config('RESETSTAT');
  const report = await cleanWhatAnswers(url, {
    settings: SETTINGS,
    observer: { phase: (_, sentence) => told.push(sentence) },
  });
  expect(report.coordinators).toMatchObject({ active: 1, stale: 1, swept: 1 });
  expect(told[0]).toMatch(new RegExp(`as the replica at redis://:\\*\\*\\*@127.0.0.1:${replica.port} shows them`));
  expect(await keysIn(primary.redis)).toEqual(living.sort());
  // Whether it may is asked.
  expect((await callsAt(primary)).scan).toBe(SCANS_ASKED);
});

test('doctor says which replica is read, and how far behind it is', async () => {
  const { url, replica } = sentinels;
  const env = {
    REDIS_URL: url,
    STALESWEEP_SENTINEL_PASSWORD: SETTINGS.sentinel.password,
    STALESWEEP_READ_FROM: 'replica',
  };
  const { stdout } = await command(['doctor', '--json'], env);
  expect(stdout).toMatch(
    new RegExp(
      `the replica at redis://:\\*\\*\\*@127.0.0.1:${replica.port} is read, and is \\d+ bytes behind its primary`,
    ),
  );
  expect(stdout).not.toMatch(/p-ss|watch-it/);
});
