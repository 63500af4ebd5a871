/** soak: a replica that is read and lags by ten seconds, from before runs begin or from their midst on, while coordinators of its primary
 * beat again and others share keys with the stale: `SOAK_ROUNDS` of it, or 20.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Random } from '../chaos/random.ts';
import { cleanWhatAnswers } from '../support/cleanup.ts';
import { usePair } from '../support/replica.ts';
import { beat, everythingOf, heartbeatOf, nowOf, settle } from '../support/world.ts';

const rounds = Number(process.env.SOAK_ROUNDS || 20);
let seed = Number(process.env.RACE_SEED || Date.now() % 1_000_000_000);
const pair = usePair();

const LAG_MS = 10_000;
const STALE = 60;
const BRIEF = 5;
const SILENT = 3_600;
/** Less than the lag: a replica shows none of these. */
const BRIEF_MS = 6_000;

interface Told {
  rounds: number;
  completed: number;
  swept: number;
  tries: number;
  /** What runs said that did not complete, each with how often. */
  readonly said: Record<string, number>;
  readonly faults: string[];
}

function sharedKey(stale: string, other: string): string {
  return `blocking:idempotency:${stale}:${other}:done:1:1760000000000`;
}

/** One run during a lag, one after it. */
async function lagOnce(told: Told): Promise<void> {
  const random = new Random(seed);
  const { primary, way, settings, inStep } = pair.current;
  const { redis } = primary;
  await redis.flushall();
  const ids = Array.from({ length: STALE }, (_, n) => `c${n}`);
  for (const id of ids) await settle(redis, id, SILENT);
  const brief = Array.from({ length: BRIEF }, (_, n) => `brief${n}-${seed}`);
  await inStep();
  /** What is somebody's who lives. */
  const owned = new Set<string>();
  const untried = random.sample(ids, ids.length);
  let isOver = false;
  const beating = (async () => {
    while (!isOver) {
      for (const id of brief) await redis.set(heartbeatOf(id), beat(await nowOf(redis), id), 'PX', BRIEF_MS);
      await pause(100);
    }
  })();
  const reviving = (async () => {
    while (!isOver && untried.length > STALE / 3) {
      const id = untried.pop() as string;
      told.tries++;
      const all = [...everythingOf(id), sharedKey(id, 'nobody')];
      const step = redis.multi().set(heartbeatOf(id), beat(await nowOf(redis), id));
      for (const key of all) step.exists(key);
      const [, ...exist] = (await step.exec()) ?? [];
      for (const [i, key] of all.entries()) if (exist[i]?.[1] === 1) owned.add(key);
      await pause(random.between(0, 2_000));
    }
  })();
  // Who is born now shares keys with the stale, which the replica shows, and its heartbeat not.
  const bear = async () => {
    for (const id of brief) {
      await redis.set(heartbeatOf(id), beat(await nowOf(redis), id), 'PX', BRIEF_MS);
      for (const stale of random.sample(ids, 10)) {
        await redis.set(sharedKey(stale, id), '1');
        owned.add(sharedKey(stale, id));
      }
    }
  };
  const lag = random.between(0, 4) === 0 ? random.between(0, 2_000) : LAG_MS;
  const isBefore = random.between(0, 1) === 0;
  const endsAfterMs = random.pick([null, 3_000, 12_000]) ?? null;
  const begin = async () => {
    way.lag(lag);
    await bear();
    if (endsAfterMs !== null) setTimeout(() => way.lag(0), endsAfterMs);
  };
  if (isBefore) await begin();
  const run = cleanWhatAnswers(primary.url, {
    settings,
    confirm: async () => {
      if (!isBefore) await begin();
      return true;
    },
  });
  try {
    const report = await run;
    told.completed++;
    told.swept += report.coordinators.swept;
  } catch (error) {
    const sentence = String(error).replaceAll(/\d+/g, 'n');
    told.said[sentence] = (told.said[sentence] ?? 0) + 1;
  }
  way.lag(0);
  await inStep();
  const last = await cleanWhatAnswers(primary.url, { settings });
  told.swept += last.coordinators.swept;
  if (last.outcome !== 'completed') told.faults.push(`the next run ended ${last.outcome}`);
  for (const key of owned) if ((await redis.exists(key)) === 0) told.faults.push(`${key} is lost`);
  isOver = true;
  await Promise.all([beating, reviving]);
  for (const id of untried) {
    if ((await redis.exists(heartbeatOf(id))) === 1) told.faults.push(`nobody came back for ${id}`);
  }
  told.rounds++;
}

test('nobody who lives loses anything by a replica that lags: the run waits, or says so (P1, P2)', async () => {
  const told: Told = { rounds: 0, completed: 0, swept: 0, tries: 0, said: {}, faults: [] };
  for (; told.rounds < rounds; seed++) {
    await lagOnce(told);
    expect(told.faults, `RACE_SEED=${seed}`).toEqual([]);
    console.log(JSON.stringify(told));
  }
});
