/** endure: targets that are away for a while, each in its own way, while coordinators beat there and one worker cleans them all (P10). */
import { expect, type TestContext } from 'vitest';
import { Ledger } from '../../src/ledger/ledger.ts';
import { start, startWorker } from '../support/cli.ts';
import { configFile } from '../support/files.ts';
import { startRedis } from '../support/redis.ts';
import { Beating, pidOf, type Place } from './outages.ts';

export interface Scene {
  readonly coordinators: number;
  readonly beatEveryMs: number;
  readonly staleAfterSeconds: number;
  readonly everySeconds: number;
  /** Resolves when the targets are to come back. */
  readonly whileAway: () => Promise<unknown>;
  /** Whether the queue is in the target's own Redis, of which there is one then; and it is cleaned from the command line, too. */
  readonly shared?: boolean;
  /** Whether worker and queue stand still as long as the targets are away, as all does on a machine that is paused. */
  readonly paused?: boolean;
}

/** A busy machine may take minutes for a few runs, which says nothing against them. */
const LONG_MS = 600_000;
/** Runs after the end in which nobody may go. */
const RUNS_AFTER = 6;
/** A span of an outage begins with the last look before it, and lasts for a few seconds after its end. */
const LATER_SECONDS = 30;

/** Fails unless everybody who beats is whole all the time, and whoever died before goes, when it was silent for long enough otherwise. */
export async function endure(
  outages: Readonly<Record<string, () => Promise<Place>>>,
  scene: Scene,
  finished: TestContext['onTestFinished'],
): Promise<void> {
  const queue = await startRedis();
  finished(async () => await queue.stop());
  const targets = await Promise.all(
    Object.entries(outages).map(async ([how, open], i) => {
      const place = await open();
      const beating = new Beating(place, scene.coordinators, scene.beatEveryMs);
      finished(async () => {
        beating.end();
        await place.stop();
      });
      await beating.begin();
      return { how, name: `t${i}`, place, beating };
    }),
  );
  const queueUrl = scene.shared ? String(targets[0]?.place.url) : queue.url;
  const file = await configFile(
    `staleAfter: ${scene.staleAfterSeconds}s
minStaleAfter: 1s
suddenSilence: false
concurrency: ${targets.length}
every: ${scene.everySeconds}s
queue: { url: "${queueUrl}" }
targets:
${targets.map(({ name, place }) => `  ${name}: { url: "${place.url}" }`).join('\n')}
`,
    finished,
  );
  const env = { STALESWEEP_CONFIG: file, LOG_LEVEL: 'info' };
  const worker = await startWorker(env, finished);
  let over = false;
  const byHand = (async () => {
    while (scene.shared && !over) await start(['run', '--json'], env, undefined, finished).ended;
  })();
  const completed = async (target: string): Promise<number> => {
    const redis = (scene.shared ? targets[0]?.place.redis() : undefined) ?? queue.redis;
    const ledger = new Ledger(redis, '{stalesweep}', { sizeBytes: 64e6, ageMs: 9e9 });
    const { runs } = await ledger.history({ target, limit: 500 });
    return runs.filter(({ outcome }) => outcome === 'completed').length;
  };
  await Promise.all(
    targets.map(async ({ how, name, place, beating }) => {
      await expect.poll(async () => await completed(name), { timeout: LONG_MS, message: how }).toBeGreaterThan(2);
      const died = await beating.lose();
      const awayAt = Date.now();
      const others = scene.paused ? [Number(worker.child.pid), await pidOf(queue.redis)] : [];
      for (const pid of others) process.kill(pid, 'SIGSTOP');
      await place.hurt();
      await scene.whileAway();
      await place.heal();
      for (const pid of others) process.kill(pid, 'SIGCONT');
      const awaySeconds = (Date.now() - awayAt) / 1000;
      const before = await completed(name);
      const swept = beating.gone(died.id).then((at) => (at - died.beatAt) / 1000);
      await expect
        .poll(async () => await completed(name), { timeout: LONG_MS, message: how })
        .toBeGreaterThan(before + RUNS_AFTER);
      await beating.expectWhole();
      const silentSeconds = (await swept) - awaySeconds;
      // In whole seconds, by a clock that is read in whole seconds.
      expect(silentSeconds, how).toBeGreaterThan(scene.staleAfterSeconds - 1);
      expect(silentSeconds, how).toBeLessThan(scene.staleAfterSeconds + scene.everySeconds + LATER_SECONDS);
      await beating.expectWhole();
    }),
  );
  over = true;
  await byHand;
  expect((await worker.kill('SIGTERM')).code).toBe(0);
}
