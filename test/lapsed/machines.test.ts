/** Machines that reach a target by addresses of their own, and give it one `id`, go by what each of them saw. */
import { expect, test } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import { runDirectly } from '../../src/direct/run.ts';
import { useRedis } from '../support/leaks.ts';
import { beat, nowOf, writeAll } from '../support/world.ts';
import { belongingsOf, heartbeatOf, leftIn } from './scene.ts';

const server = useRedis();
const THRESHOLD = 600;

/** One run on the machine that calls the target's host so. */
async function runAt(host: string, staleAfterSeconds = THRESHOLD) {
  const { url } = server.current;
  const targets = { default: { url: url.replace('127.0.0.1', host), id: 'main' } };
  const file = { schema: 'flat', restartGrace: false, queue: { url }, targets };
  const config = resolveConfig({}, {}, { name: 'stalesweep.yaml', text: JSON.stringify(file) });
  const [target] = [...config.targets.values()];
  if (target === undefined) throw new Error('there is one');
  return await runDirectly({
    target: { ...target, staleAfterSeconds },
    queue: config.queue,
    ledger: config.process.ledger,
    trigger: 'cli',
    by: null,
    dryRun: false,
    force: false,
    record: true,
    signal: new AbortController().signal,
    observer: {},
  });
}

test('who beat before the eyes of another machine within the threshold lives, and who did not goes, wherever the run is (P1, P11)', async () => {
  const { redis } = server.current;
  const now = await nowOf(redis);
  const lives = async (id: string, secondsAgo: number) => {
    await redis.set(heartbeatOf('flat', id), beat(now - secondsAgo * 1000, id), 'EX', 90);
  };
  for (const id of ['back', 'dead']) {
    await lives(id, THRESHOLD - 50);
    await writeAll(redis, Object.fromEntries(belongingsOf('flat', id).map((key) => [key, '1'])));
  }
  await runAt('127.0.0.1');
  await lives('back', 0);
  await runAt('localhost');
  await redis.del(heartbeatOf('flat', 'back'), heartbeatOf('flat', 'dead'));
  // As if a minute had passed.
  const { coordinators } = await runAt('127.0.0.1', THRESHOLD - 60);
  expect(coordinators).toMatchObject({ active: 1, stale: 1, swept: 1, lapsed: 1 });
  expect(await leftIn(redis)).toEqual(belongingsOf('flat', 'back').sort());
});
