import { expect, test } from 'vitest';
import { textOf } from '../docs/kept.ts';
import { command } from '../support/command.ts';
import { startDashboard } from '../support/dashboard.ts';
import { useRedis } from '../support/leaks.ts';
import { NEVER } from '../support/queue.ts';
import { settle, STALE } from '../support/world.ts';
import { work } from '../support/worker.ts';

const server = useRedis();

const PAGES = [
  '/',
  '/runs',
  '/runs?find=c1',
  '/ask?target=default',
  '/readyz',
  '/metrics',
  '/queues/',
  '/queues/api/queues',
];
const COMMANDS = ['status', 'history', 'schedule', 'explain c1', 'doctor', 'run --yes'];

test("the queue's user needs no more than docs/rights.md says, for any command and any page", async () => {
  const { redis, port, url } = server.current;
  const [, rules = ''] = /^ACL SETUSER queue (.+)$/m.exec(textOf('docs/rights.md')) ?? [];
  await redis.call('ACL', 'SETUSER', 'queue', 'reset', ...rules.split(' '));
  await redis.call('ACL', 'LOG', 'RESET');
  await settle(redis, 'c1', STALE);
  const env = { REDIS_URL: url, QUEUE_REDIS_URL: `redis://queue:secret@127.0.0.1:${port}`, ...NEVER };
  const worker = await work(env);
  const asked = await command(['enqueue', '--wait'], env);
  expect(asked).toMatchObject({ code: 0, stdout: expect.stringContaining('completed in') });
  for (const line of COMMANDS) {
    const { code, stdout, stderr } = await command(line.split(' '), env);
    expect({ code, said: stdout + stderr }, line).toEqual({
      code: 0,
      said: expect.not.stringMatching(/NOPERM|may not/),
    });
  }
  const dashboard = await startDashboard(env);
  for (const path of PAGES) {
    const answer = await dashboard.ask(path);
    expect({ status: answer.status, said: await answer.text() }, path).toEqual({
      status: 200,
      said: expect.not.stringContaining('NOPERM'),
    });
  }
  await dashboard.close();
  await worker.close();
  expect(worker.log()).not.toMatch(/"level":[4-6]0/);
  const refused = ((await redis.call('ACL', 'LOG')) as string[][]).map((entry) => entry[entry.indexOf('object') + 1]);
  // Only the page of Bull Board asks for it, and goes without.
  expect(refused).toEqual(['client|list']);
  expect(textOf('docs/rights.md')).toContain('`+client|list`');
});
