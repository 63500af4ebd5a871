/** large: more than some servers take, or answer, at once; and what a run makes of that. */
import type { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { sentenceOf } from '../../src/domain/failure.ts';
import { explain } from '../../src/redis/connection/explain.ts';
import { type CleanOptions, cleanWhatAnswers, targetOf } from '../support/cleanup.ts';
import type { TestRedis } from '../support/redis.ts';
import { RentedRedis, type Rule } from '../support/rented/proxy.ts';
import { all, RESP2 } from '../support/rented/rules.ts';
import { ACTIVE, everythingOf, settle } from '../support/world.ts';

export const SILENT = 3_600;
export const STALE: readonly string[] = Array.from({ length: 120 }, (_, n) => `stale${n}`);

/** So many who are stale, with keys that neighbours share, some who live, and one who left more than any call takes. */
export async function settleWorld({ redis }: TestRedis): Promise<readonly string[]> {
  await redis.script('FLUSH');
  const writing = redis.pipeline();
  const living = ['active1', 'active2'].map(async (id) => await settle(redis, id, ACTIVE));
  await Promise.all([...STALE.map(async (id) => await settle(redis, id, SILENT)), ...living]);
  for (const [n, id] of STALE.entries()) writing.set(`blocking:idempotency:${id}:stale${n + 1}:done:1`, '1');
  for (let n = 0; n < 500; n++) writing.set(`blocking:ack:stale7:more${n}`, '1');
  for (let n = 0; n < 30; n++) writing.set(`blocking:idempotency:stale${n}:active1:done:1`, '1');
  writing.set('foreign', 'value');
  await writing.exec();
  const shared = Array.from({ length: 30 }, (_, n) => `blocking:idempotency:stale${n}:active1:done:1`);
  return [...everythingOf('active1'), ...everythingOf('active2'), ...shared, 'foreign'].sort();
}

/** 300 keys of nobody, idle for long. */
export async function leaveOrphans(redis: Redis): Promise<void> {
  const payload = await redis.dumpBuffer('foreign');
  const leaving = redis.pipeline();
  for (let n = 0; n < 300; n++)
    leaving.call('RESTORE', `blocking:ack:nobody:${n}`, '0', payload ?? '', 'IDLETIME', String(SILENT));
  await leaving.exec();
}

/** What a run by way of this door comes to: its report, or the sentence an operator reads; and what it warned of. */
export async function outcomeOf({ port }: TestRedis, rule: Rule, options: CleanOptions = {}) {
  const rented = await RentedRedis.open(port, all(RESP2, rule));
  onTestFinished(async () => await rented.close());
  let warnings = '';
  const observer = { ...options.observer, warn: (sentence: string) => (warnings += `${sentence}\n`) };
  try {
    const report = await cleanWhatAnswers(rented.url, { ...options, observer });
    return { report, sentence: '', warnings, commands: rented.commands };
  } catch (error) {
    const sentence = sentenceOf(explain(error, targetOf(rented.url, options.settings)));
    return { report: null, sentence, warnings, commands: rented.commands };
  }
}
