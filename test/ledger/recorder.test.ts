import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AGELESS_MS } from '../../src/ledger/ages.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { openName } from '../../src/ledger/runs/names.ts';
import { settleGone } from '../../src/ledger/runs/settleGone.ts';
import { writeOpen } from '../../src/ledger/runs/openRuns.ts';
import type { Report } from '../../src/domain/report.ts';
import type { RunRecorder } from '../../src/ledger/recording/recorder.ts';
import type { PastRun } from '../../src/ledger/runs/pastRun.ts';
import { useRedis } from '../support/leaks.ts';
import { startRedis } from '../support/redis.ts';
import { addUser } from '../support/users.ts';
import { blocksIn, FAMILIES, ledgerIn, reportOf, runOf, unexpected } from './story.ts';

const server = useRedis();

async function newest(): Promise<PastRun | undefined> {
  return (await ledgerIn(server.current.redis).history({ limit: 1 })).runs[0];
}

/** What is about to go, and went. */
function one(id: string) {
  return {
    coordinator: Buffer.from(id),
    swarm: null,
    beatMs: 1_760_000_000_000,
    silenceSeconds: 601,
    keysByFamily: [1, 1, 1, 1, 1, 1],
  };
}

/** Tells that the run has swept so many. */
function reach(recorder: RunRecorder, swept: number, of: (report: Report) => Report = (report) => report): void {
  recorder.begins(() => of(reportOf('7', 'default', swept, 'interrupted')));
  recorder.progress();
}

/** How many SET the server was sent. */
async function setsSent(): Promise<number> {
  return Number(/cmdstat_set:calls=(\d+)/.exec(await server.current.redis.info('commandstats'))?.[1] ?? 0);
}

describe('a run', () => {
  test('stands in the ledger before it removes anything, with how far it has come, and with its report when it ended', async () => {
    const recorder = ledgerIn(server.current.redis).record(runOf('7'), unexpected);
    expect(await recorder.begin()).toBe(true);
    const { families: _, ...identity } = runOf('7');
    expect(await newest()).toMatchObject({ ...identity, state: 'active', outcome: null, attempts: 1, report: null });
    reach(recorder, 4);
    await expect.poll(async () => (await newest())?.removed, { interval: 5 }).toEqual({ swept: 4, deleted: 24 });
    const report = reportOf('7', 'default', 9);
    await recorder.end({ outcome: 'completed', report });
    const ended = await newest();
    expect(ended).toMatchObject({
      ...identity,
      state: 'ended',
      outcome: 'completed',
      removed: { swept: 9, deleted: 54 },
    });
    expect(ended?.report).toEqual(report);
    expect(ended?.startedAtMs).toBeLessThanOrEqual(ended?.atMs ?? 0);
    expect((await server.current.redis.keys('*')).filter((key) => /open|alive/.test(key))).toEqual([]);
  });

  test.each(['stopped', 'interrupted', 'failed'] as const)(
    'that %s stands there with why, and what it had removed',
    async (outcome) => {
      const recorder = ledgerIn(server.current.redis).record(runOf('7'), unexpected);
      await recorder.begin();
      reach(recorder, 4);
      await recorder.end({ outcome, reason: 'because' });
      expect(await newest()).toMatchObject({
        outcome,
        reason: 'because',
        removed: { swept: 4, deleted: 24 },
      });
      expect((await newest())?.report).toEqual({ ...reportOf('7', 'default', 4), outcome, reason: 'because' });
      expect(await newest()).not.toHaveProperty('soFar');
      expect((await ledgerIn(server.current.redis).history({ limit: 5, outcome, removed: true })).runs).toHaveLength(1);
    },
  );

  test('has all that it swept stand there once its end does, whoever looks', async () => {
    const { redis } = server.current;
    const other = redis.duplicate();
    onTestFinished(() => other.disconnect());
    const wide = { sizeBytes: 2 ** 26, ageMs: 1e12, detail: 'keys' } as const;
    let lateCount = 0;
    for (let round = 0; round < 5 + lateCount; round++) {
      let isLate = false;
      const recorder = new Ledger(redis, '{stalesweep}', wide).record(runOf(`${round}`), () => (isLate = true));
      await recorder.begin();
      // They take a while to be made small.
      const all = Array.from({ length: 700 }, (_, i) => ({
        ...one(`c-${round}-${i}`),
        names: Array.from({ length: 6 }, () => randomBytes(150)),
      }));
      await recorder.removing(all);
      recorder.removed(all);
      await recorder.end({ outcome: 'completed', report: reportOf(`${round}`, 'default', all.length) });
      // A run on a very busy machine goes on without its record: another round shows what this one could not.
      if (isLate) {
        lateCount++;
        continue;
      }
      // Nothing of it may be on its way any more: the process may end.
      const { swept } = await ledgerIn(other).find(Buffer.from(`c-${round}-0`), { limit: 1 });
      expect(swept.map(({ fate }) => fate)).toEqual(['swept']);
    }
  });

  test('says how long it was in each phase, of all its attempts, in the order in which it entered them', async () => {
    const ledger = ledgerIn(server.current.redis);
    const first = ledger.record(runOf('7'), unexpected);
    await first.begin();
    expect((await newest())?.phases).toBeUndefined();
    first.phase('mark');
    first.phase('gather');
    await first.suspend('Redis went away');
    const phases = (await newest())?.phases ?? {};
    expect(Object.keys(phases)).toEqual(['mark', 'gather']);
    const second = ledger.record(runOf('7'), unexpected);
    await second.begin();
    for (const phase of ['mark', 'gather', 'sweep', 'mark', 'sweep']) second.phase(phase);
    await second.end({ outcome: 'completed', report: reportOf('7', 'default', 0) });
    const all = (await newest())?.phases ?? {};
    expect(Object.keys(all)).toEqual(['mark', 'gather', 'sweep']);
    for (const [phase, ms] of Object.entries(phases)) expect(all[phase]).toBeGreaterThanOrEqual(ms);
  });

  test('goes on where an earlier attempt was, as one run', async () => {
    const ledger = ledgerIn(server.current.redis);
    const first = ledger.record(runOf('7'), unexpected);
    await first.begin();
    reach(first, 4);
    await first.removing([one('c1')]);
    first.removed([one('c1')]);
    await first.suspend('the target is out of reach');
    const waiting = await newest();
    expect(waiting).toMatchObject({ state: 'waiting', attempts: 1, reason: 'the target is out of reach' });
    const second = ledger.record(runOf('7'), unexpected);
    await second.begin();
    expect(await newest()).toMatchObject({ state: 'active', attempts: 2, removed: { swept: 4, deleted: 24 } });
    await second.removing([one('c2')]);
    second.removed([one('c2')]);
    await second.end({ outcome: 'completed', report: reportOf('7', 'default', 6) });
    const { runs } = await ledger.history({ limit: 5 });
    expect(runs).toHaveLength(1);
    expect(runs[0]).toMatchObject({ attempts: 2, startedAtMs: waiting?.startedAtMs, removed: { swept: 6 } });
    const swept: string[] = [];
    for await (const { rows } of ledger.sweptBy(runs[0] as PastRun)) {
      for (const { coordinator } of rows) swept.push(String(Buffer.from(coordinator)));
    }
    expect(swept).toEqual(['c1', 'c2']);
  });

  test("ends those that were left open long ago, and what stands there damaged is in nobody's way", async () => {
    const { redis } = server.current;
    const blocks = blocksIn(redis);
    await blocks.addTarget('default');
    const left = { ...runOf('old'), state: 'active', outcome: null, startedAtMs: 1, atMs: 5, attempts: 1 } as const;
    await writeOpen(blocks, { ...left, reason: null, report: null, removed: { swept: 1, deleted: 2 } });
    await blocks.write('open/default/damaged', Buffer.from('no run at all'), { atMs: AGELESS_MS });
    const recorder = ledgerIn(redis).record(runOf('7'), unexpected);
    await recorder.begin();
    await expect.poll(async () => await redis.exists(blocks.keyOf('open/default/old')), { interval: 5 }).toBe(0);
    await recorder.end({ outcome: 'completed' });
    const { runs } = await ledgerIn(redis).history({ limit: 9 });
    expect(runs.map(({ run, outcome }) => `${run} ${outcome}`)).toEqual(['7 completed', 'old interrupted']);
  });

  test.each([
    ['with a few families', 6, 10],
    ['with many families and long names', 40, 90],
  ])('%s keeps its report so far, whatever fits of its samples', async (_, families, length) => {
    const ledger = ledgerIn(server.current.redis);
    const recorder = ledger.record({ ...runOf('7'), by: 'b'.repeat(500) }, unexpected);
    await recorder.begin();
    const long = (of: number) => `${of}`.padEnd(length, randomBytes(length).toString('hex'));
    const byFamily = Object.fromEntries(Array.from({ length: families }, (_, i) => [`${i}`.padEnd(length, 'x'), i]));
    const sample = Array.from({ length: 10 }, (_, i) => long(i));
    const unreadable = (['not-json', 'no-time', 'future'] as const).map((why) => ({ why, count: 11, sample }));
    reach(recorder, 4, (report) => ({ ...report, keys: { ...report.keys, byFamily }, unreadable }));
    await recorder.suspend('the target is out of reach');
    const key = blocksIn(server.current.redis).keyOf(openName('default', '7'));
    expect(await server.current.redis.strlen(key)).toBeLessThanOrEqual(2_048 - 24);
    const { soFar } = (await newest()) as PastRun;
    expect(soFar?.keys.byFamily).toEqual(byFamily);
    expect(soFar?.unreadable.map(({ count }) => count)).toEqual([11, 11, 11]);
  });

  test('that was ended meanwhile is not brought back by its progress', async () => {
    const ledger = ledgerIn(server.current.redis);
    const frozen = ledger.record(runOf('7'), unexpected);
    await frozen.begin();
    const other = ledger.record(runOf('7'), unexpected);
    await other.begin();
    await other.end({ outcome: 'completed', report: reportOf('7', 'default', 6) });
    const sent = await setsSent();
    reach(frozen, 1);
    await expect.poll(setsSent, { interval: 5 }).toBeGreaterThan(sent);
    frozen.leave();
    const { runs } = await ledger.history({ limit: 5 });
    expect(runs.map(({ outcome }) => outcome)).toEqual(['completed']);
  });
});

const PROGRAM = `
  const [, url, root, families, first, last] = process.argv;
  const { Redis } = await import(root + 'node_modules/ioredis/built/index.js');
  const { Ledger } = await import(root + 'dist/src/ledger/ledger.js');
  const ledger = new Ledger(new Redis(url), '{stalesweep}', { sizeBytes: 2 ** 28, ageMs: 1e9 });
  const run = { run: '7', target: 'default', fingerprint: '', trigger: 'cli', by: null, dryRun: false };
  const recorder = ledger.record({ ...run, families: JSON.parse(families) }, (sentence) => process.stderr.write(sentence));
  await recorder.begin();
  const one = { coordinator: Buffer.from('c1'), swarm: null, beatMs: 1, silenceSeconds: 601 };
  await recorder.removing([one]);
  let report = { ...JSON.parse(first) };
  recorder.begins(() => report);
  recorder.progress();
  // What comes within the same 50 ms is told, too, though nothing comes after it.
  report = JSON.parse(last);
  recorder.progress();
  setInterval(() => {}, 1_000);
`;

describe('a process that is killed', () => {
  test('leaves its run as interrupted within 15 s, with what it had removed; until then it is active', async () => {
    const root = new URL('../../', import.meta.url).href;
    const last = reportOf('7', 'default', 41, 'interrupted');
    const told = [FAMILIES, reportOf('7', 'default', 40, 'interrupted'), last].map((what) => JSON.stringify(what));
    const args = ['--input-type=module', '-e', PROGRAM, server.current.url, root, ...told];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    await expect.poll(async () => (await newest())?.removed.swept).toBe(41);
    expect(await newest()).toMatchObject({ state: 'active', outcome: null });
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    // By Redis' clock; a machine that does much else is asked later.
    await expect.poll(async () => (await newest())?.outcome, { timeout: 20_000 }).toBe('interrupted');
    expect(await newest()).toMatchObject({ state: 'ended', removed: { swept: 41, deleted: 246 } });
    expect((await newest())?.report).toEqual({ ...last, reason: 'its process ended without a word' });
    const { swept } = await ledgerIn(server.current.redis).find(Buffer.from('c1'), { limit: 5 });
    expect(swept.map(({ fate }) => fate)).toEqual(['unknown']);
  });

  test('long ago has its run ended by those that come after, once; others stay open', async () => {
    const { redis } = server.current;
    const blocks = blocksIn(redis);
    await blocks.addTarget('default');
    const nowMs = await blocks.nowMs();
    const base = { ...runOf('0'), outcome: null, startedAtMs: 1, attempts: 1, reason: null, report: null } as const;
    const hour = 3_600_000;
    for (const [run, state, agoMs] of [
      ['old', 'active', hour],
      ['new', 'active', 1_000],
      ['waits', 'waiting', hour],
    ] as const) {
      const removed = { swept: 1, deleted: 2 };
      await writeOpen(blocks, { ...base, run, state, atMs: nowMs - agoMs, removed });
    }
    await Promise.all([settleGone(blocksIn(redis)), settleGone(blocksIn(redis)), settleGone(blocks)]);
    const [open = []] = await blocks.last([{ from: 'open/' }], 9);
    expect(open).toEqual(['waits', 'new'].map((run) => ({ name: openName('default', run), atMs: AGELESS_MS })));
    const { runs } = await ledgerIn(redis).history({ limit: 9, outcome: 'interrupted', run: 'old' });
    expect(runs).toHaveLength(1);
    expect(runs[0]?.reason).toContain(new Date(nowMs - hour).toISOString());
  });
});

describe('a Redis that does not take it', () => {
  /** A whole run over this connection; what it said. */
  const tell = async (redis: Redis): Promise<{ begun: boolean; said: string[] }> => {
    const said: string[] = [];
    const recorder = ledgerIn(redis).record(runOf('7'), (sentence) => said.push(sentence));
    const begun = await recorder.begin();
    await recorder.removing([one('c1')]);
    recorder.removed([one('c1')]);
    reach(recorder, 1);
    await recorder.end({ outcome: 'completed', report: reportOf('7', 'default', 1) });
    return { begun, said };
  };

  test('because of its rights is said once, in one line, and the run goes on', async () => {
    const redis = new Redis(await addUser(server.current, ['~*', '+@read', '+ping', '+info', '+time']));
    redis.on('error', () => {});
    const { begun, said } = await tell(redis).finally(() => redis.disconnect());
    expect(begun).toBe(false);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(
      /^this run is not recorded: the user of the queue's Redis may not run SADD; grant it \+sadd$/,
    );
  });

  test('because it is out of reach is said once, in one line, and the run goes on', async () => {
    const redis = new Redis({ port: 1, host: '127.0.0.1', maxRetriesPerRequest: null, retryStrategy: () => 50 });
    redis.on('error', () => {});
    onTestFinished(() => redis.disconnect());
    const { begun, said } = await tell(redis);
    expect([begun, said]).toEqual([false, ['this run is not recorded: its Redis did not answer in time']]);
  });

  test('in the middle of a run is said once; what it takes again is recorded', async () => {
    const redis = new Redis(await addUser(server.current, ['~*', '+@all']));
    redis.on('error', () => {});
    const said: string[] = [];
    const recorder = ledgerIn(redis).record(runOf('7'), (sentence) => said.push(sentence));
    await recorder.begin();
    await server.current.redis.call('ACL', 'SETUSER', 'stalesweep', '-set', '-zadd', '-evalsha', '-eval');
    await recorder.removing([one('c1')]);
    await recorder.removing([one('c2')]);
    await server.current.redis.call('ACL', 'SETUSER', 'stalesweep', '+@all');
    recorder.removed([one('c1'), one('c2')]);
    await recorder.end({ outcome: 'completed', report: reportOf('7', 'default', 2) });
    redis.disconnect();
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^not all that this run sweeps is recorded: /);
    for (const id of ['c1', 'c2']) {
      const { swept } = await ledgerIn(server.current.redis).find(Buffer.from(id), { limit: 5 });
      expect(swept.map(({ fate }) => fate)).toEqual(['swept']);
    }
    expect(await newest()).toMatchObject({ outcome: 'completed' });
  });

  test.each([
    ['is full', 'OOM', ['CONFIG SET maxmemory 1', 'CONFIG SET maxmemory 0']],
    ['is a replica', 'READONLY', ['REPLICAOF 127.0.0.1 1', 'REPLICAOF NO ONE']],
  ])('because it %s is waited for, and what earlier attempts left is gone on with', async (_, code, [hurt, heal]) => {
    const { redis } = server.current;
    const say = async (words = '') => {
      const [command = '', ...rest] = words.split(' ');
      await redis.call(command, ...rest);
    };
    const refused = async () =>
      Number(RegExp(`errorstat_${code}:count=(\\d+)`).exec(await redis.info('errorstats'))?.[1] ?? 0);
    const first = ledgerIn(redis).record(runOf('7'), unexpected);
    await first.begin();
    await first.removing([one('c1')]);
    first.removed([one('c1')]);
    await first.suspend('the target is out of reach');
    const begun = await newest();
    await say(hurt);
    const before = await refused();
    const leaving = new AbortController();
    const left = ledgerIn(redis)
      .record({ ...runOf('8'), until: leaving.signal }, unexpected)
      .begin();
    const second = ledgerIn(redis).record(
      { ...runOf('7'), attempt: 2, until: new AbortController().signal },
      unexpected,
    );
    const begins = second.begin();
    await expect.poll(refused).toBeGreaterThan(before + 4);
    leaving.abort();
    expect(await left).toBe(false);
    await say(heal);
    expect(await begins).toBe(true);
    await say(hurt);
    const whileAway = await refused();
    let stands = false;
    const removing = second.removing([one('c2')]).then(() => {
      stands = true;
    });
    await expect.poll(refused).toBeGreaterThan(whileAway + 2);
    expect(stands).toBe(false);
    await say(heal);
    await removing;
    const ahead = await ledgerIn(redis).find(Buffer.from('c2'), { limit: 5 });
    expect(ahead.swept.map(({ fate }) => fate)).toEqual(['unknown']);
    second.removed([one('c2')]);
    // Another process goes on with it, and this one was not told in time.
    if (code === 'OOM') {
      second.leave();
      const third = ledgerIn(redis).record({ ...runOf('7'), attempt: 3 }, unexpected);
      await third.begin();
      await third.end({ outcome: 'completed', report: reportOf('7', 'default', 2) });
    } else await second.end({ outcome: 'completed', report: reportOf('7', 'default', 2) });
    const { runs } = await ledgerIn(redis).history({ limit: 5 });
    expect(runs).toMatchObject([
      { run: '7', attempts: code === 'OOM' ? 3 : 2, startedAtMs: begun?.startedAtMs, outcome: 'completed' },
    ]);
    for (const id of ['c1', 'c2']) {
      const fates = async () =>
        (await ledgerIn(redis).find(Buffer.from(id), { limit: 5 })).swept.map(({ fate }) => fate);
      await expect.poll(fates).toEqual(['swept']);
    }
  });

  test('because it went down is waited for, and then it stands there who is to go', async () => {
    const own = await startRedis();
    const redis = new Redis(own.url, { maxRetriesPerRequest: 0, retryStrategy: () => 50 });
    redis.on('error', () => {});
    onTestFinished(() => redis.disconnect());
    const recorder = ledgerIn(redis).record({ ...runOf('7'), until: new AbortController().signal }, unexpected);
    await recorder.begin();
    const closed = async () => await new Promise((resolve) => redis.once('close', resolve));
    const down = closed();
    await own.stop();
    await down;
    const removing = recorder.removing([one('c1')]);
    // What waited for the connection is given up.
    await closed();
    const back = await startRedis([], own.port);
    onTestFinished(async () => await back.stop());
    await removing;
    const { swept } = await ledgerIn(back.redis).find(Buffer.from('c1'), { limit: 5 });
    expect(swept.map(({ fate }) => fate)).toEqual(['unknown']);
    recorder.leave();
  });

  test('is no matter where there is no ledger', async () => {
    const { RunRecorder } = await import('../../src/ledger/recording/recorder.ts');
    const recorder = new RunRecorder(null, runOf('7'), unexpected);
    expect(await recorder.begin()).toBe(false);
    await recorder.removing([one('c1')]);
    await recorder.end({ outcome: 'completed' });
  });
});
