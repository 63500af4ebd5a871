import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { start } from '../support/cli.ts';
import { command } from '../support/command.ts';
import { folder } from '../support/files.ts';
import { useRedis } from '../support/leaks.ts';

const server = useRedis();

test('demo says what it does and where to look, cleans a sample of its own, and leaves nothing behind', async () => {
  const cwd = await folder();
  // Whatever Redis is named stays as it is.
  await server.current.redis.set('blocking:signal:c1', 'theirs');
  const env = { STALESWEEP_PORT: '0', REDIS_URL: server.current.url };
  const demo = start(['demo'], env, cwd);
  await expect.poll(demo.stdout, { timeout: 200_000 }).toContain('completed in');
  const [what, where] = demo.stdout().split('\n');
  expect(what).toMatch(/^stalesweep demo: cleans a Redis of its own/);
  const address = /^look at it: (http:\/\/127\.0\.0\.1:\d+)\/$/.exec(where ?? '')?.[1];
  expect((await fetch(`${address}/readyz`)).status).toBe(200);
  // On a slow machine some of the living fall silent for long enough meanwhile, or come back.
  expect(demo.stdout()).toMatch(/9,9\d\d swept, \d+ revived; 1 protected/);
  expect(demo.stdout()).toContain('1 wrong-unit');

  // Another command in that folder means the demo's Redis, and judges as the demo does.
  const judged = await command(['run', '--dry-run', '--json'], {}, cwd);
  expect(JSON.parse(judged.stdout)).toMatchObject({ staleAfterSeconds: 20, coordinators: { protected: 1 } });
  const { code, stderr } = await command(['demo'], {}, cwd);
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringMatching(/^stalesweep: a demo already runs in this folder \(process \d+\)[^\n]+\n$/),
  });

  expect((await demo.kill('SIGINT')).code).toBe(0);
  expect(existsSync(join(cwd, '.stalesweep'))).toBe(false);
  expect(await server.current.redis.keys('*')).toEqual(['blocking:signal:c1']);
}, 240_000);

test('start without a target is refused in one sentence that names both ways', async () => {
  const { code, stdout, stderr } = await command(['start'], {});
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^stalesweep: no target: set REDIS_URL, or name a file [^\n]*"stalesweep demo"[^\n]*\n$/);
});
