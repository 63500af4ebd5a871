/** Several deployments may call different targets alike: each is shown its own runs, in the history and on the page. */
import { expect, test } from 'vitest';
import { fingerprintOf } from '../../src/config/fingerprint.ts';
import { readHistory } from '../../src/health/history.ts';
import { readRunsPage } from '../../src/health/runsPage.ts';
import { openQueues } from '../../src/queue/queues.ts';
import { targetOf } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { ledgerIn, reportOf, runOf, unexpected } from './story.ts';

const server = useRedis();

test('whoever asks for past runs is shown those of its own targets, and of names that it does not use', async () => {
  const { redis, url } = server.current;
  const ledger = ledgerIn(redis);
  const own = targetOf(url);
  const neighbours = targetOf(`${url}/7`);
  const begin = async (run: string, target: string, fingerprint: string) => {
    const recorder = ledger.record({ ...runOf(run, target), fingerprint }, unexpected);
    await recorder.begin();
    return recorder;
  };
  const note = async (run: string, target: string, fingerprint: string) => {
    const recorder = await begin(run, target, fingerprint);
    await recorder.end({ outcome: 'completed', report: reportOf(run, target, 1) });
  };
  await note('own', 'default', fingerprintOf(own));
  // Of the same Redis, by a schema of before.
  await note('earlier', 'default', fingerprintOf(own).replace(/-.*/, '-00000000'));
  await note('old', 'default', '');
  await note('elsewhere', 'other', fingerprintOf(neighbours));
  const queues = await openQueues(url, { onError: () => {}, onReady: () => {}, passive: true });
  const add = async (jobId: string, fingerprint?: string) =>
    await queues.runs.add(
      'cleanup',
      { target: 'default', ...(fingerprint === undefined ? {} : { fingerprint }) },
      { jobId },
    );
  await add('queued-own', fingerprintOf(own));
  await add('queued-by-hand');
  await add('queued-theirs', fingerprintOf(neighbours));
  for (let i = 0; i < 120; i++) await note(`theirs-${i}`, 'default', fingerprintOf(neighbours));
  try {
    const listedFor = async (target: typeof own, limit: number) => {
      const targets = new Map([['default', target]]);
      const rows = await readHistory(queues, ledger, { limit, targets });
      const page = { targets, cursor: null, suffices: () => false };
      let all = await readRunsPage(queues, ledger, {}, page);
      // On a busy machine a page ends before all of it was read.
      while (all.cursor !== null) all = await readRunsPage(queues, ledger, {}, page);
      const { runs, queued } = all;
      const shown = [...queued.map(({ run }) => run), ...runs.map(({ run }) => run)];
      expect(shown.sort().slice(0, limit)).toEqual(rows.map(({ run }) => run).sort());
      for (const row of rows) expect(row).not.toHaveProperty('fingerprint');
      return shown;
    };
    expect(await listedFor(own, 200)).toEqual(
      ['own', 'earlier', 'old', 'elsewhere', 'queued-own', 'queued-by-hand'].sort(),
    );
    expect(await listedFor(neighbours, 200)).toHaveLength(120 + 4);
    const few = await readHistory(queues, ledger, { limit: 4, targets: new Map([['default', own]]) });
    expect(few).toHaveLength(4);
    const newest = await readHistory(queues, ledger, { limit: 4, targets: new Map([['default', neighbours]]) });
    const waiting = ['queued-by-hand', 'queued-theirs'];
    expect(newest.map(({ run }) => run).sort(), 'whoever waits is among them').toEqual([
      ...waiting,
      'theirs-118',
      'theirs-119',
    ]);
    // One that waits stands on the first page, however old it is, and there once.
    const first = async () => {
      const targets = new Map([['default', neighbours]]);
      const page = await readRunsPage(queues, ledger, {}, { targets, cursor: null, suffices: () => true });
      expect(page.cursor).not.toBeNull();
      return { queued: page.queued.map(({ run }) => run), runs: page.runs.map(({ run }) => run) };
    };
    expect((await first()).queued).toContain('queued-theirs');
    await begin('queued-theirs', 'default', fingerprintOf(neighbours));
    const { queued, runs } = await first();
    expect([queued.includes('queued-theirs'), runs.filter((run) => run === 'queued-theirs')]).toEqual([
      false,
      ['queued-theirs'],
    ]);
  } finally {
    await queues.close();
  }
}, 60_000);
