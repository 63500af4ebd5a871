/** What pages say, where two of them tell of the same, or nothing is where somebody looks. */
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { fingerprintOf } from '../../src/config/fingerprint.ts';
import type { TargetConfig } from '../../src/config/resolve.ts';
import { openQueues } from '../../src/queue/queues.ts';
import { stopRun } from '../../src/queue/runs/stop.ts';
import { runOf } from '../ledger/story.ts';
import { command } from '../support/command.ts';
import { startDashboard, type TestDashboard } from '../support/dashboard.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { ledgerIn, noteRun } from '../support/pastRuns.ts';
import { sweepRecorded } from '../support/recordedRun.ts';
import { settle, STALE } from '../support/world.ts';
import { openScene, yamlOf } from './scene.ts';

const BROWSER = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

let redis: TestRedis;
let dashboard: TestDashboard;
let readOnly: TestDashboard;
beforeAll(async () => {
  redis = await startRedis();
  dashboard = await openScene(redis);
  readOnly = await startDashboard({ STALESWEEP_READ_ONLY: 'true' }, { yaml: yamlOf(redis) });
  // It may know of nothing yet, or not of all.
  const isWhole = async () => expect((await read('/')).text).toMatch(/! held .*✓ completed/);
  await vi.waitFor(isWhole, { timeout: 20_000 });
});
afterAll(async () => {
  await Promise.all([dashboard?.close(), readOnly?.close()]);
  await redis?.stop();
});

/** The answer to a browser: what is read of it, without marks and tags. */
async function read(path: string, from = dashboard) {
  const answer = await from.ask(path, { headers: BROWSER });
  const html = await answer.text();
  const text = html.replace(/<(script|style)[\s\S]*?<\/\1>|<[^>]+>/g, ' ').replace(/\s+/g, ' ');
  return { status: answer.status, html, text };
}

test.each(['/', '/?target=default', '/?target=kept', '/runs', '/ask?target=default&kind=force'])(
  'what %s says of an instant is a time that the viewer has in his zone',
  async (path) => {
    const { status, html, text } = await read(path);
    expect(status).toBe(200);
    expect(text).not.toMatch(/\d{4}-\d\d-\d\dT/);
    // A table of many rows has them, and so have banners.
    expect(html.replace(/<title>[^<]*<\/title>|<time[^>]*>[^<]*<\/time>|"[^"]*"/g, '')).not.toMatch(
      /\d\d:\d\d UTC|\d\d:\d\d:\d\d/,
    );
  },
);

test.each(['/nope', '/runs/taken/nope', '/nope/%3Cscript%3E?x=1', '/metricsx'])(
  'a browser that looks for %s is told so on a page with ways on, a script in JSON',
  async (path) => {
    const { status, html, text } = await read(path);
    expect(status).toBe(404);
    expect(text).toContain('There is nothing at /');
    expect(html).toContain('<a href="/">To the overview</a>');
    expect(html).not.toContain('<script>');
    const script = await dashboard.ask(path);
    expect([script.status, await script.json()]).toEqual([
      404,
      { error: expect.stringMatching(/^there is nothing at /) },
    ]);
  },
);

test.each(['/ask?target=default&kind=run', '/runs/taken/restore?target=kept'])(
  'where nothing can be changed, whoever comes to %s is told why',
  async (path) => {
    const { status, text } = await read(path, readOnly);
    expect(status).toBe(403);
    expect(text).toContain('read-only (STALESWEEP_READ_ONLY)');
  },
);

test('a run that held somebody is told apart from one that completed, wherever runs stand', async () => {
  const run = /\/runs\/([^"?]+)\?[^"]*"[^>]*>\s*Held 600 coordinators/.exec((await read('/?target=default')).html)?.[1];
  expect((await read('/')).text).toContain('! held');
  expect((await read('/runs?target=default')).text).toMatch(/! held 0 of 0 , 600 held/);
  expect((await read(`/runs/${run}?target=default`)).text).toMatch(/! held/);
  const said = async (name: string) => (await command([name, '--target', 'default'], { REDIS_URL: redis.url })).stdout;
  expect(await said('history')).toMatch(/^\S+ +default .* held +0 /m);
  expect(await said('status')).toMatch(/last run +\S+: held in/);
});

test('a tab tells how many are held, or how many targets need somebody, and so does its sign', async () => {
  const tab = async (path: string) => {
    const { html } = await read(path);
    return [/<title>([^<]*)</.exec(html)?.[1], /rel="icon" href="[^"]*\/([^"/]+)"/.exec(html)?.[1]];
  };
  expect(await tab('/?target=default')).toEqual(['600 held · default · stalesweep', 'alarm.svg']);
  // Nobody works on the queue.
  expect(await tab('/?target=kept')).toEqual(['kept · stalesweep', 'alarm.svg']);
  expect(await tab('/runs')).toEqual(['Runs · stalesweep', 'icon.svg']);
  expect(await tab('/')).toEqual(['1 target in trouble · Overview · stalesweep', 'alarm.svg']);
});

test('the page that asks before a run says of each how many stay', async () => {
  const { text } = await read('/ask?target=default&kind=run');
  expect(text).toContain(
    'Nobody would go. Nobody was silent for longer than 10 min and still there after the last run',
  );
  expect(text).toContain('400 active ones, 3 unreadable ones and 600 held ones stay');
  const force = (await read('/ask?target=default&kind=force')).text;
  expect(force).toContain('600 coordinators would go. They were silent for longer than 10 min');
  expect(force).toContain('400 active ones and 3 unreadable ones stay');
  expect((await read('/ask?target=kept&kind=run')).text).toContain(
    'Whoever beats again before it is their turn stays.',
  );
});

test('whoever finds an id comes from there to what gives it back, unless nothing can be changed', async () => {
  const { html } = await read('/runs?find=c1');
  const [, href = ''] = /<a href="([^"]+)" class="small">Give back…/.exec(html) ?? [];
  const asks = await read(href.replaceAll('&amp;', '&'));
  expect([asks.status, asks.text]).toEqual([200, expect.stringMatching(/Give back what was left of c1 .*Give back/)]);
  expect((await read('/runs?find=c1', readOnly)).html).not.toContain('Give back');
});

test('of a run that a guard refused it is said how many look stale, and where they are swept all the same', async () => {
  const target = dashboard.config.targets.get('kept') as TargetConfig;
  const reason =
    '9 of 10 coordinators are stale; check the clock; if they are gone, sweep them all the same, with --force';
  await noteRun(ledgerIn(redis.redis), target, {
    outcome: 'refused',
    reason,
    coordinators: { active: 1, stale: 9, protected: 2 },
  });
  await expect
    .poll(async () => (await read('/?target=kept')).text, { timeout: 10_000 })
    .toContain('Removed nothing: 9 look stale');
  const { html } = await read('/?target=kept');
  const [, href = ''] = /href="([^"]+)"[^>]*>\s*Sweep them all the same…/.exec(html) ?? [];
  const { text } = await read(href.replaceAll('&amp;', '&'));
  expect(text).toContain('Sweep those who are stale in kept? 9 coordinators would go.');
  expect(text).toContain('1 active one and 2 protected ones stay');
  expect(text).toContain('9 of 10 coordinators are stale; check the clock');
  expect((await read('/?target=kept', readOnly)).html).not.toContain('Sweep them all the same');
});

test('the page of a run that is under way offers to stop it, and says so once it was asked to', async () => {
  const target = dashboard.config.targets.get('kept') as TargetConfig;
  const queues = await openQueues(redis.url, { onError: () => {}, onReady: () => {}, passive: true });
  onTestFinished(async () => await queues.close());
  // By a clock that is ahead.
  const timestamp = Date.now() + 90_000;
  await queues.runs.add('cleanup', { target: 'kept' }, { jobId: 'under-way', timestamp });
  const run = { ...runOf('under-way', 'kept'), fingerprint: fingerprintOf(target), addedAtMs: timestamp };
  const recorder = ledgerIn(redis.redis).record(run, () => {});
  await recorder.begin();
  const path = '/runs/under-way?target=kept';
  expect((await read(path)).html).toMatch(/<form method="post" action="\/stop">[\s\S]*Stop after its chunk/);
  expect((await read(path, readOnly)).html).not.toContain('Stop after its chunk');
  expect((await read('/runs')).html.split('/under-way').length).toBe(2);
  await stopRun(queues, 'under-way');
  const { text } = await read(path);
  expect(text).toContain('It was asked to stop, and ends after its chunk.');
  expect(text).not.toContain('Stop after its chunk');
  await recorder.end({ outcome: 'stopped', report: null, reason: null });
});

test('the page that asks before things are given back says what is not as it was', async () => {
  const place = redis.redis.duplicate({ db: 2, connectionName: 'fixture' });
  onTestFinished(() => place.disconnect());
  const path = '/runs/taken/restore?target=kept&counted=yes';
  const before = await read(path);
  expect(before.text).toMatch(/keys lie in the trash/);
  expect(before.text).not.toContain('is not known');
  // As Redis evicts them.
  const notes = await place.keys('stalesweep:trash-ttl:*');
  expect(await place.del(...notes)).toBe(1);
  expect((await read(path)).text).toMatch(
    /What time to live \d+ of these keys had is not known: Redis evicted that, or an older version did not note it;/,
  );
});

test('of who was swept twice the page of each run gives back what that run took', async () => {
  const place = redis.redis.duplicate({ db: 2, connectionName: 'fixture' });
  onTestFinished(() => place.disconnect());
  const [heartbeat = '', ...belongings] = await settle(place, 'c1', STALE + 60);
  await place.del(...belongings.slice(1));
  await sweepRecorded(redis.redis, `${redis.url}/2`, { run: 'later', target: 'kept', settings: { trash: '1h' } });
  expect(await place.exists(heartbeat)).toBe(0);
  const asked = async (run: string) => (await read(`/runs/${run}/restore?target=kept&counted=yes&id=c1`)).text;
  expect(await asked('later')).toContain('1 key lies in the trash');
  expect(await asked('taken')).toContain(`${belongings.length} keys lie in the trash`);
});
