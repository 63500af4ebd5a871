/** What explain tells of one after the other: who lives, who went and on what proof. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { fingerprintOf } from '../../src/config/fingerprint.ts';
import type { Trigger } from '../../src/domain/report.ts';
import { isSudden, type Past } from '../../src/domain/suddenSilence.ts';
import type { TargetConfig } from '../../src/config/resolve.ts';
import { sweptOf } from '../../src/explain/swept.ts';
import { PastRuns } from '../../src/status/pastRuns.ts';
import { jsonOf } from '../../src/explain/json.ts';
import { ledgerIn, runOf, unexpected } from '../ledger/story.ts';
import { restore } from '../../src/restore/restore.ts';
import { renderEntry } from '../../src/cli/output/renderEntry.ts';
import { targetOf } from '../support/cleanup.ts';
import { command } from '../support/command.ts';
import { useRedis } from '../support/leaks.ts';
import { sweepRecorded } from '../support/recordedRun.ts';
import { ACTIVE, beat, heartbeatOf, nowOf, STALE, settle, writeAll } from '../support/world.ts';
import { ask } from './asking.ts';

const server = useRedis();
const SETTINGS = { restartGrace: false };

interface Asked {
  readonly settings?: object;
  readonly past?: Past;
}

async function tell(names: readonly (string | Buffer)[], { settings = {}, past }: Asked = {}) {
  const target = targetOf(server.current.url, { ...SETTINGS, ...settings });
  const asking = { ledger: ledgerIn(server.current.redis), ...(past === undefined ? {} : { past }) };
  return (await ask(target, names, asking)).map(jsonOf);
}

/** A run that stands in the ledger, asked for so. */
async function sweep(run: string, trigger: Trigger, by: string | null, settings = {}) {
  const { redis, url } = server.current;
  await sweepRecorded(redis, url, { run, trigger, by, settings: { ...SETTINGS, ...settings } });
}

describe('of who was swept', () => {
  test.each([
    ['schedule', 'schedule', null, 'schedule'],
    ['the command line', 'cli', 'ops@host', 'ops@host'],
    ['Bull Board', 'manual', null, 'manual'],
  ] as const)('it tells when, by which run, asked for by %s, and on what proof', async (_, trigger, by, shown) => {
    const { redis } = server.current;
    await settle(redis, 'c42', STALE + 60);
    await settle(redis, 'c7', ACTIVE);
    await sweep('214', trigger, by);
    const [entry] = await tell(['c42']);
    expect(entry).toMatchObject({ name: 'c42', kind: 'coordinator', family: null, verdict: 'foreign' });
    expect(entry?.owners).toEqual([
      { coordinator: 'c42', swarm: null, heartbeat: null, silenceSeconds: null, state: 'none' },
    ]);
    const [once, ...more] = entry?.swept ?? [];
    expect(more).toEqual([]);
    expect(once).toMatchObject({
      run: '214',
      by: shown,
      keys: { heartbeat: 1, signal: 1, ack: 2, idempotency: 1, activity: 1, state: 1 },
      restorableUntil: null,
    });
    const at = Date.parse(once?.at ?? '');
    expect(Math.abs(at - (await nowOf(redis)))).toBeLessThan(60_000);
    expect(once?.silenceSeconds).toBeGreaterThanOrEqual(STALE + 60 - 1);
    expect(at - Date.parse(once?.lastBeatAt ?? '')).toBeGreaterThan(STALE * 1000);
    expect((await tell(['c7']))[0]?.swept).toEqual([]);
  });

  test('it tells of a key that went with whom it went; where names are kept, only when that key did', async () => {
    const { redis } = server.current;
    await settle(redis, 'c42', STALE + 60);
    await sweep('1', 'schedule', null);
    const [gone] = await tell(['blocking:ack:c42:1']);
    expect(gone).toMatchObject({ kind: 'key', family: 'ack', template: 'blocking:ack:{coordinator}:*' });
    expect(gone?.why).toContain('there is no such key now');
    expect(gone?.swept.map(({ run }) => run)).toEqual(['1']);
    const recorder = ledgerIn(redis).record({ ...runOf('2'), withNames: true }, unexpected);
    await recorder.begin();
    const c42 = {
      coordinator: Buffer.from('c42'),
      swarm: Buffer.from('s1'),
      beatMs: 1_760_000_000_000,
      silenceSeconds: 700,
    };
    await recorder.removing([{ ...c42, names: [Buffer.from('blocking:signal:c42')] }]);
    recorder.removed([{ ...c42, names: [Buffer.from('blocking:signal:c42')], keysByFamily: [0, 1, 0, 0, 0, 0] }]);
    await recorder.end({ outcome: 'completed', report: null });
    const [again, never] = await tell(['blocking:signal:c42', 'blocking:ack:c42:never']);
    expect(again?.swept.map(({ run }) => run)).toEqual(['2', '1']);
    expect(never?.swept.map(({ run }) => run)).toEqual(['1']);
  });

  test('it tells nothing of what another deployment swept and gave back that calls its target alike', async () => {
    const { redis, url } = server.current;
    const next = redis.duplicate({ db: 1 });
    onTestFinished(() => next.disconnect());
    const settings = { ...SETTINGS, trash: '1h' };
    const [here, there] = [url, `${url}/1`].map((one) => targetOf(one, settings)) as [TargetConfig, TargetConfig];
    const ledger = ledgerIn(redis);
    for (const [at, config, run] of [
      [next, there, '1'],
      [redis, here, '2'],
    ] as const) {
      await settle(at, 'c42', STALE + 60);
      await sweepRecorded(redis, config.url, { run, settings });
    }
    await restore(there, { coordinator: Buffer.from('c42') }, { ledger, heartbeats: true });
    const told = async (config: TargetConfig) =>
      (await ask(config, ['c42'], { ledger }))
        .map(jsonOf)[0]
        ?.swept.map((once) => [once.run, once.restoredAt !== null]);
    expect(await told(here)).toEqual([['2', false]]);
    expect(await told(there)).toEqual([['1', true]]);
    // On pages, too, which look for an id in all targets.
    const among = new Map([['default', here]]);
    expect((await sweptOf(ledger, [Buffer.from('c42')], { among })).swept.map(({ run }) => run)).toEqual(['2']);
    const past = new PastRuns(ledger, among);
    await past.refresh();
    expect(past.of('default').runs.map(({ run }) => run)).toEqual(['2']);
  });

  test('it tells who was swept of a target that had another name then; nothing of another one elsewhere', async () => {
    const { redis, url } = server.current;
    await settle(redis, 'c42', STALE + 60);
    await sweep('1', 'schedule', null);
    const ledger = ledgerIn(redis);
    const told = async (config: TargetConfig) =>
      (await ask({ ...config, name: 'renamed' }, ['c42'], { ledger })).map(jsonOf)[0]?.swept.map(({ run }) => run);
    expect(await told(targetOf(url, SETTINGS))).toEqual(['1']);
    expect(await told(targetOf(`${url}/1`, SETTINGS))).toEqual([]);
  });

  test('it tells what was given back, and that what stayed in the trash can be', async () => {
    const { redis, url } = server.current;
    await settle(redis, 'c42', STALE + 60);
    await settle(redis, 'c43', STALE + 60);
    await sweep('214', 'schedule', null, { trash: '1h' });
    const target = targetOf(url, { ...SETTINGS, trash: '1h' });
    const ledger = ledgerIn(redis);
    const swept = async (id: string) => (await tell([id]))[0]?.swept[0];
    expect(await swept('c42')).toMatchObject({ restoredAt: null, restorableUntil: expect.any(String) });
    const c42 = { coordinator: Buffer.from('c42') };
    expect((await restore(target, c42, { ledger, dryRun: true })).restored).toBeGreaterThan(0);
    expect((await swept('c42'))?.restoredAt).toBeNull();
    await restore(target, c42, { ledger });
    expect(await swept('c42')).toMatchObject({ restoredAt: expect.any(String), restorableUntil: expect.any(String) });
    expect(await swept('c43')).toMatchObject({ restoredAt: null, restorableUntil: expect.any(String) });
    await restore(target, { run: '214' }, { ledger, heartbeats: true, by: 'ops@host' });
    for (const id of ['c42', 'c43']) {
      expect(await swept(id)).toMatchObject({ restoredAt: expect.any(String), restorableUntil: null });
    }
    expect(
      (await ledger.restored({ target: 'default', fingerprint: fingerprintOf(target) })).map(({ run, by }) => [
        run,
        by,
      ]),
    ).toEqual([
      ['214', 'ops@host'],
      ['214', null],
    ]);
    const [entry] = await ask(target, ['c43'], { ledger });
    expect(entry && renderEntry(entry).replace(/\s+/g, ' ')).toMatch(/It was given back at [^.;]* UTC\./);
  });

  test('ids with any bytes are told apart, and what is said brings them back', async () => {
    const { redis, url } = server.current;
    const id = Buffer.from([0x61, 0xff, 0x00, 0x22]);
    const name = Buffer.concat([Buffer.from('swarm:s1:blocking:heartbeat:'), id]);
    await redis.set(name, beat((await nowOf(redis)) - 700_000));
    const [before] = await tell([id]);
    expect(before).toMatchObject({ name: '"a\\xff\\x00\\x22"', verdict: 'goes' });
    await sweep('1', 'schedule', null, { trash: '1h' });
    const [after] = await tell([id]);
    expect(after?.swept).toHaveLength(1);
    const { stdout } = await command(['restore', after?.name ?? '', '--heartbeats'], { REDIS_URL: url });
    expect([stdout, await redis.exists(name)]).toEqual(['1 key restored\n', 1]);
    expect((await tell([Buffer.from([0x61, 0xfe, 0x00, 0x22])]))[0]?.swept).toEqual([]);
  });
});

test('it tells of each state, with the silence, and what a run would do', async () => {
  const { redis } = server.current;
  const now = await nowOf(redis);
  await writeAll(redis, {
    [heartbeatOf('fresh')]: beat(now - 10_000),
    [heartbeatOf('slow')]: beat(now - 400_000),
    [heartbeatOf('dead')]: beat(now - 700_000),
    [heartbeatOf('odd')]: '{}',
    [heartbeatOf('leader-1')]: beat(now - 700_000),
  });
  const names = ['fresh', 'slow', 'dead', 'odd', 'leader-1'];
  const entries = await tell(names, { settings: { protect: ['leader-*'] } });
  expect(entries.map(({ owners: [owner], verdict }) => [owner?.state, verdict])).toEqual([
    ['active', 'stays'],
    ['atRisk', 'stays'],
    ['stale', 'goes'],
    ['unreadable', 'stays'],
    ['protected', 'stays'],
  ]);
  expect(entries[2]?.owners[0]).toMatchObject({ swarm: 's1', heartbeat: heartbeatOf('dead') });
  expect(entries[2]?.owners[0]?.silenceSeconds).toBeGreaterThanOrEqual(700);
  expect(entries[3]).toMatchObject({ why: "odd in s1 can't be judged: its heartbeat holds no usable time" });
  const [held] = await tell(['dead'], { past: { active: 100, heldSinceAt: now } });
  expect(held).toMatchObject({ verdict: 'stays', owners: [{ state: 'held' }] });
  const [observed] = await tell(['dead'], { settings: { mode: 'observe' } });
  expect(observed).toMatchObject({ verdict: 'stays', owners: [{ state: 'stale' }] });
  expect(observed?.why).toContain('mode: observe');
});

test('it tells of a key whom two own, of one that nobody owns, and of what no run looks at', async () => {
  const { redis } = server.current;
  await settle(redis, 'dead', STALE + 60);
  await settle(redis, 'lives', ACTIVE);
  const shared = 'blocking:idempotency:dead:lives:completion:0:1760000000000';
  const lost = 'blocking:ack:nobody:1';
  await writeAll(redis, { [shared]: '1', [lost]: '1', 'session:1': '1' });
  const [both, orphan, foreign] = await tell([shared, lost, 'session:1']);
  expect(both).toMatchObject({ family: 'idempotency', verdict: 'stays' });
  expect(both?.owners.slice(0, 2).map(({ coordinator, state }) => [coordinator, state])).toEqual(
    expect.arrayContaining([
      ['dead', 'stale'],
      ['lives', 'active'],
    ]),
  );
  expect(both?.why).toContain('lives in s1 is active');
  expect(orphan).toMatchObject({
    family: 'ack',
    verdict: 'orphan',
    owners: [{ coordinator: 'nobody', state: 'none' }],
  });
  expect(foreign).toMatchObject({ kind: 'key', family: null, owners: [], verdict: 'foreign' });
});

test('a name that is a key and an id is told of twice, an id in several swarms with each of them', async () => {
  const { redis } = server.current;
  await settle(redis, 'both', STALE + 60, 's1');
  await settle(redis, 'both', ACTIVE, 's2');
  await redis.set('both', '1');
  const entries = await tell(['both']);
  expect(entries.map(({ kind, verdict }) => [kind, verdict])).toEqual([
    ['key', 'foreign'],
    ['coordinator', 'goes'],
  ]);
  expect(entries[1]?.owners.map(({ swarm, state }) => [swarm, state]).sort()).toEqual([
    ['s1', 'stale'],
    ['s2', 'active'],
  ]);
  expect(entries[1]?.why).toContain('what names no swarm stays');
});

test.each([
  [{ maxStale: 3 }, 'no more than 3 look stale (maxStale)'],
  [{ maxStaleFraction: 0.25 }, 'no more than 0.25 of all look stale (maxStaleFraction)'],
])('what goes unless a guard stops the next run is told with that guard: %o', async (settings, condition) => {
  const { redis } = server.current;
  const [signal = ''] = await settle(redis, 'c42', STALE + 60);
  for (const name of ['c42', signal, heartbeatOf('c42')]) {
    const [free] = await tell([name]);
    expect(free).toMatchObject({ verdict: 'goes' });
    expect(free?.why).not.toContain('provided');
    const [guarded] = await tell([name], { settings });
    expect(guarded).toMatchObject({ verdict: 'goes' });
    expect(guarded?.why).toContain(`provided that then ${condition}`);
  }
});

test.each([
  [200, 100],
  [41, 21],
  [30, 11],
])(
  'of %i who were active, %i are enough that nobody is held, as explain says and a run does',
  async (before, least) => {
    const { redis } = server.current;
    await settle(redis, 'c42', STALE + 60);
    const past = { active: before, heldSinceAt: null };
    expect((await tell(['c42'], { past }))[0]?.why).toContain(`at least ${least} coordinators beat (suddenSilence)`);
    const setting = { fraction: 0.5, from: 20 };
    expect([least - 1, least].map((active) => isSudden(before, active, setting))).toEqual([true, false]);
    const [spared] = await tell(['c42'], { past: { active: 20 - 1, heldSinceAt: null } });
    expect(spared?.why).not.toContain('suddenSilence');
  },
);
