import { expect, onTestFinished, test } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { command } from '../support/command.ts';
import { useRedis } from '../support/leaks.ts';
import { NEVER } from '../support/queue.ts';
import { RentedRedis } from '../support/rented/proxy.ts';
import { all, RESP2, repliesUpTo, requestsUpTo, without } from '../support/rented/rules.ts';
import { foreignIn, keysIn, settle } from '../support/world.ts';
import { work } from '../support/worker.ts';
import { leaveOrphans, outcomeOf, SILENT, STALE, settleWorld } from './large.ts';

// What went is known, or it is said that it is not, also where a server refuses what is too large for it.

const server = useRedis();
const queue = useRedis();

/** One of them, for `npm test`: all of them are drawn in time. */
function one<T>(...all: readonly [T, ...T[]]): T {
  return all[Math.floor(Math.random() * all.length)] as T;
}

test('of what went where an answer was refused in words of a request, the report knows, or a line says that it does not', async () => {
  const most = one({ elements: 20 }, { elements: 12 });
  const [way, hasOrphans] = [one<readonly string[]>([], ['EVAL', 'EVALSHA']), one(true, false)];
  const after = await settleWorld(server.current);
  const { redis } = server.current;
  // Whoever keeps a record is told what was not there, in long answers.
  for (const [n, id] of STALE.entries()) if (n % 2 === 0) await redis.del(`blocking:signal:${id}`);
  if (hasOrphans) await leaveOrphans(redis);
  const gone = (await keysIn(redis)).length - after.length;
  const rule = all(without(way), repliesUpTo(most, 'ERR max request size exceeded. Limit: so many'));
  const { report, sentence, warnings } = await outcomeOf(server.current, rule, {
    observer: { removed: () => {} },
    settings: { orphans: hasOrphans ? ['ack'] : [] },
  });
  const drawn = JSON.stringify({ most, way, hasOrphans, warnings, deleted: report?.keys.deleted, gone });
  expect(sentence, drawn).toBe('');
  expect(await keysIn(redis), drawn).toEqual(after);
  expect(report?.coordinators, drawn).toMatchObject({ stale: STALE.length, swept: STALE.length, revived: 0 });
  const isKnown = report?.keys.deleted === gone;
  expect(isKnown || warnings.includes('may be missing in the counts'), drawn).toBe(true);
});

test('where requests were refused nothing is said to be lost: all of it is in the report', async () => {
  const [says, most] = one(
    ['too many arguments', { args: 64 }] as const,
    // In words of neither.
    ['too long', { bytes: 16_384 }] as const,
  );
  const after = await settleWorld(server.current);
  const { redis } = server.current;
  await leaveOrphans(redis);
  const gone = (await keysIn(redis)).length - after.length;
  const options = { settings: { orphans: ['ack'] } };
  const { report, warnings } = await outcomeOf(server.current, requestsUpTo(most, `ERR ${says}`), options);
  expect(report?.keys.deleted, says).toBe(gone);
  expect(warnings, says).toBe('');
});

test('the report of a run that failed, since even the smallest request was refused, holds what had gone until then', async () => {
  const by = one('run', 'enqueue');
  const { redis, port } = server.current;
  await redis.script('FLUSH');
  await queue.current.redis.flushall();
  for (let n = 0; n < 10; n++) await settle(redis, `c${n}`, SILENT + n);
  // The last of them: its heartbeat and one of its keys are more than the server takes, which takes the script, though.
  await settle(redis, 'x'.repeat(12_000), SILENT - 100);
  const before = await foreignIn(redis);
  const rented = await RentedRedis.open(port, all(RESP2, requestsUpTo({ bytes: 20_000 }, 'ERR too long')));
  onTestFinished(async () => await rented.close());
  const env = { REDIS_URL: rented.url, QUEUE_REDIS_URL: queue.current.url, ...NEVER };
  const worker = by === 'run' ? null : await work(env);
  const asked = await command(by === 'run' ? ['run', '--yes', '--json'] : ['enqueue', '--wait', '--json'], env);
  await worker?.close();
  const sentence = /takes no call as small as a run needs, not even the removal of one coordinator \(ERR too long\)/;
  expect(asked).toMatchObject({ code: 1, stderr: expect.stringMatching(sentence) });
  expect(asked.stderr).not.toContain('missing in the counts');
  const gone = before - (await foreignIn(redis));
  const known = { outcome: 'failed', coordinators: { swept: 10 }, keys: { deleted: gone } };
  if (by === 'run') expect(JSON.parse(asked.stdout)).toMatchObject(known);
  const [past] = JSON.parse((await command(['history', '--json'], env)).stdout) as { report: Report }[];
  expect(past?.report).toMatchObject(known);
  expect(gone).toBe(70);
});
