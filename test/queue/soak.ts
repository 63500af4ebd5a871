/** soak: a queue behind sentinels, and on a cluster, whose primary is killed ten times, or `SOAK_KILLS`, while two worker processes take runs. */
import { expect, test } from 'vitest';
import { startWorker } from '../support/cli.ts';
import { startCluster } from '../support/clusterServers.ts';
import { startRedis } from '../support/redis.ts';
import { Sentinels } from '../support/sentinel.ts';
import { killOften, ofCluster, ofSentinels, type Place } from './kills.ts';

const count = Number(process.env.SOAK_KILLS || 10);

const places = {
  'behind sentinels': async () => {
    const sentinels = await Sentinels.start();
    return { place: ofSentinels(sentinels), stop: async () => await sentinels.stop() };
  },
  'on a cluster': async () => {
    const cluster = await startCluster(3, { replicas: true });
    return { place: ofCluster(cluster), stop: async () => await cluster.stop() };
  },
} satisfies Record<string, () => Promise<{ place: Place; stop(): Promise<void> }>>;

test.for(Object.entries(places))(
  'a queue %s: each run once in the ledger, none lost, none doubled (P3, P13)',
  async ([name, begin], { onTestFinished }) => {
    const [target, { place, stop }] = await Promise.all([startRedis(), begin()]);
    onTestFinished(async () => {
      await Promise.all([target.stop(), stop()]);
    });
    // Scheduled ones come between.
    const env = { REDIS_URL: target.url, QUEUE_REDIS_URL: place.url, STALESWEEP_NICE: '2', STALESWEEP_EVERY: '10s' };
    const workers = await Promise.all([1, 2].map(async () => await startWorker(env, onTestFinished)));
    const told = await killOften({ place, target, env, count });
    console.log(`${name}: ${JSON.stringify(told)}`);
    const ended = workers.flatMap((worker) =>
      worker
        .stderr()
        .split('\n')
        .filter((line) => line.includes('"run ended"')),
    );
    console.log(`${name}: ${ended.length} runs said that they ended`);
    expect(told).toMatchObject({ asked: count, lost: 0, doubled: 0, outcomes: { completed: told.runs } });
    expect(told.recorded).toBeGreaterThanOrEqual(told.gone);
    for (const worker of workers) expect((await worker.kill('SIGTERM')).code).toBe(0);
  },
);
