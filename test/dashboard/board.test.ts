import type { Job } from 'bullmq';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { declareSchedules } from '../../src/queue/schedules/schedules.ts';
import { startDashboard, type TestDashboard } from '../support/dashboard.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis;
let dashboard: TestDashboard;
beforeAll(async () => {
  redis = await startRedis();
  dashboard = await startDashboard({ REDIS_URL: redis.url });
});
beforeEach(async () => {
  for (const queue of [dashboard.queues.runs, dashboard.queues.schedule]) await queue.obliterate({ force: true });
});
afterAll(async () => {
  await dashboard?.close();
  await redis?.stop();
});

const CLEANUP = '/queues/api/queues/cleanup';
const SCHEDULE = '/queues/api/queues/schedule';
function add(data: unknown, options: unknown = {}, name = '__default__') {
  return dashboard.send('POST', `${CLEANUP}/add`, { name, data, options });
}
async function idOf(response: Response) {
  return ((await response.json()) as { job: Job }).job.id;
}
async function refusal(response: Response) {
  return [response.status, ((await response.json()) as { error: string }).error];
}

it('adds a run under our name and options, whatever name and options were sent', async () => {
  const times = { attempts: 1e9, delay: 60_000, repeat: { every: 1 }, lifo: true, priority: 5 };
  const names = { deduplication: { id: 'mine' }, jobId: 'mine', parent: { id: '1', queue: 'bull:other' } };
  const options = { ...times, ...names, removeOnComplete: true, removeOnFail: true, sizeLimit: 1 };
  expect((await add({ target: 'default' }, options, 'mine')).status).toBe(200);
  const [job] = await dashboard.queues.runs.getJobs();
  expect(job?.id).toBe('1');
  expect(job?.name).toBe('cleanup');
  expect(job?.opts).toMatchObject({ attempts: 3, deduplication: { id: 'default' } });
  expect(await job?.getState()).toBe('waiting');
  expect(job?.parentKey).toBeUndefined();
  expect(await dashboard.queues.runs.getJobSchedulers()).toEqual([]);
});

it('joins the run in progress and answers with it', async () => {
  const first = await idOf(await add({ target: 'default' }));
  expect(await idOf(await add({ target: 'default', dryRun: true }))).toBe(first);
  expect(await dashboard.queues.runs.getWaitingCount()).toBe(1);
});

it.each([
  [{ target: 'nope' }, 'job data: unknown target "nope"; allowed: default'],
  [
    { target: 'default', stale: 1 },
    'job data: unknown field "stale"; allowed: target, dryRun, staleAfter, trigger, force',
  ],
  [{}, 'job data: "target" must be the name of a target'],
  [undefined, expect.stringMatching(/^job data: /)],
])('refuses to add %j with the sentence that says why', async (data, sentence) => {
  expect(await refusal(await add(data))).toEqual([400, sentence]);
  expect(await dashboard.queues.runs.getJobs()).toEqual([]);
});

it('refuses wrong data in a run that is edited', async () => {
  const id = await idOf(await add({ target: 'default' }));
  const edit = (jobData: unknown) => dashboard.send('PATCH', `${CLEANUP}/${id}/update-data`, { jobData });
  const refused = await edit({ target: 'nope' });
  expect(refused.status).toBe(400);
  expect(await refused.text()).toContain('unknown target');
  expect((await edit({ target: 'default', dryRun: true })).status).toBe(200);
  expect((await dashboard.queues.runs.getJob(String(id)))?.data).toEqual({ target: 'default', dryRun: true });
});

it('runs a schedule now as a tick, and adds no other ticks', async () => {
  await declareSchedules(dashboard.queues, dashboard.config.targets);
  const before = (await dashboard.queues.schedule.getJobs()).length;
  const response = await dashboard.send(
    'PUT',
    `${SCHEDULE}/job-schedulers/${encodeURIComponent('cleanup:default')}/run`,
    {},
  );
  expect(response.status).toBe(200);
  const ticks = await dashboard.queues.schedule.getJobs();
  expect(ticks).toHaveLength(before + 1);
  for (const tick of ticks) expect(tick).toMatchObject({ name: 'tick', data: { target: 'default' } });
  const [status, sentence] = await refusal(
    await dashboard.send('POST', `${SCHEDULE}/add`, { name: 'tick', data: { target: 'default' }, options: {} }),
  );
  expect([status, sentence]).toEqual([403, expect.stringContaining('ticks come from the schedules')]);
});

it.each([
  ['PATCH', '', { every: 1 }],
  ['PATCH', '', { pattern: '* * * * * *' }],
  ['PUT', '/remove', {}],
])('refuses to change a schedule, which the configuration would put back: %s %s %j', async (method, path, body) => {
  await declareSchedules(dashboard.queues, dashboard.config.targets);
  const before = await dashboard.queues.schedule.getJobSchedulers();
  const id = encodeURIComponent('cleanup:default');
  const answer = await dashboard.send(method, `${SCHEDULE}/job-schedulers/${id}${path}`, body);
  expect(answer.status).toBe(403);
  expect(await answer.text()).toContain('schedules come from the configuration; change them there');
  expect(await dashboard.queues.schedule.getJobSchedulers()).toEqual(before);
});

it('shows the progress as a number and beside it what was counted', async () => {
  const id = await idOf(await add({ target: 'default' }));
  const job = await dashboard.queues.runs.getJob(String(id));
  await job?.updateProgress({ phase: 'sweep', percent: 42, checked: 9, startedAt: 1, carried: { swept: 3 } });
  const answer = (await (await dashboard.ask(`${CLEANUP}/${id}`)).json()) as { job: { progress: unknown } };
  expect(answer.job.progress).toEqual({ progress: 42, phase: 'sweep', checked: 9 });
});
