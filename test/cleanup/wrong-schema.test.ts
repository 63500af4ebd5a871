import { expect, test } from 'vitest';
import { clean, type CleanOptions } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { beat, keysIn, settle, writeAll } from '../support/world.ts';

const server = useRedis();

async function cleanWith(options: CleanOptions = {}) {
  const warnings: string[] = [];
  const report = await clean(server.current.url, { ...options, observer: { warn: (s) => warnings.push(s) } });
  return { report, warnings };
}

const NONE = 'hold no heartbeat of schema "swarm" (swarm:{swarm}:blocking:heartbeat:{coordinator})';

test.each([true, false])('a run that met no heartbeat names the schema that would fit (dry: %s)', async (dryRun) => {
  await writeAll(server.current.redis, {
    'blocking:heartbeat:c1': beat(1),
    'blocking:heartbeat:c2': beat(1e12),
    'blocking:signal:c1': '1',
  });
  const { report, warnings } = await cleanWith({ dryRun });
  const sentence = `all 3 keys ${NONE}; there are heartbeats of schema "flat" or "claude-flow-novice": set STALESWEEP_SCHEMA=flat`;
  expect(report).toMatchObject({ outcome: 'completed', reason: sentence, coordinators: { checked: 0 } });
  expect(warnings).toEqual([sentence]);
  expect(await keysIn(server.current.redis)).toHaveLength(3);
});

test('a run that met no heartbeat among foreign keys says how to go on', async () => {
  await writeAll(server.current.redis, { 'user:1': 'x' });
  const { report, warnings } = await cleanWith();
  expect(report.reason).toContain(`all 1 keys ${NONE}; check the database number in the URL`);
  expect(warnings).toEqual([report.reason]);
});

test('the first 20,000 keys of many are looked at, in bounded pages (P6)', async () => {
  await writeAll(server.current.redis, Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [`user:${i}`, ''])));
  const pages: number[] = [];
  const { report } = await cleanWith({
    after: (name, reply) => name === 'scan' && pages.push(((reply as unknown[])[1] as unknown[]).length),
  });
  expect(Number(/^the first (\d+) keys hold/.exec(report.reason ?? '')?.[1])).toBeLessThan(21_100);
  expect(Math.max(...pages)).toBeLessThan(1_100);
});

test.each([
  ['an empty database', {}],
  ['a database with only a queue', { '{stalesweep}:cleanup:meta': 'x', 'stalesweep:trash:1': 'x' }],
])('of %s a run says nothing', async (_, keys) => {
  await writeAll(server.current.redis, keys);
  const { report, warnings } = await cleanWith();
  expect([report.reason, warnings]).toEqual([undefined, []]);
});

test.each([
  ['stale', 3_600],
  ['active', 10],
])('a run that met one %s coordinator says nothing of the schema, even when that was the last', async (id, silent) => {
  await settle(server.current.redis, id, silent);
  await writeAll(server.current.redis, { 'blocking:heartbeat:c1': beat(1e12) });
  const { report, warnings } = await cleanWith();
  expect([report.reason, warnings]).toEqual([undefined, []]);
});

test('a run that is interrupted says nothing of the schema', async () => {
  await writeAll(server.current.redis, { 'user:1': 'x' });
  const stop = new AbortController();
  const warnings: string[] = [];
  const run = clean(server.current.url, {
    signal: stop.signal,
    observer: { warn: (sentence) => warnings.push(sentence) },
    before: (name) => name === 'scan' && stop.abort(),
  });
  await expect(run).rejects.toMatchObject({ code: 'INTERRUPTED' });
  expect(warnings).toEqual([]);
});
