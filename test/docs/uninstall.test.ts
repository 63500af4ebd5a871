/** What docs/upgrading.md says to type when stalesweep goes, as it stands. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { useRedis } from '../support/leaks.ts';
import { textOf } from './kept.ts';

const server = useRedis();

test('the commands for uninstalling remove all keys of ours, whatever their names hold, and no other one', async () => {
  const { redis, url } = server.current;
  const ours = ['{stalesweep}:cleanup:meta', 'stalesweep:trash:1:it\'s "x" \\ of two  words', 'stalesweep:announced:1'];
  // What a run set aside on a cluster is its coordinator's, and is put back.
  const theirs = [
    'stalesweeper:1',
    'stalesweep:aside:{a}:abcdefgh:1:blocking:signal:c1',
    'of two',
    'words',
    'x{stalesweep}:1',
  ];
  for (const key of [...ours, ...theirs]) await redis.set(key, '1');
  const [, commands = ''] = /## Uninstalling\n[\s\S]*?```sh\n([\s\S]*?)```/.exec(textOf('docs/upgrading.md')) ?? [];
  expect(commands).toContain('unlink');
  execFileSync('sh', ['-ec', commands], { env: { ...process.env, REDIS_URL: url, QUEUE_REDIS_URL: '' } });
  expect((await redis.keys('*')).sort()).toEqual(theirs.sort());
});
