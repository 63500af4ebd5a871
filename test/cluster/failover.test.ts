import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { cleanCluster, settleIn } from '../support/cluster.ts';
import { startCluster, type TestCluster } from '../support/clusterServers.ts';
import type { TestRedis } from '../support/redis.ts';
import { STALE } from '../support/world.ts';
import { failOverOnce } from './failovers.ts';
import { Gates } from './gates.ts';
import { nothingYet } from './race.ts';

let cluster: TestCluster;

afterEach(async () => await cluster.stop());

describe('a primary that is killed', () => {
  const seed = Number(process.env.RACE_SEED || Date.now() % 1_000_000_000);

  test(`in mid-run ends the run; what it takes along orphans nothing, nobody who lives has lost anything, and the next run ends well (P1, P3; RACE_SEED=${seed})`, async () => {
    cluster = await startCluster(3, { replicas: true });
    const gates = await Gates.before(cluster);
    onTestFinished(() => gates.close());
    const story = nothingYet();
    const told = { kills: 0, losing: 0, cutOff: 0 };
    await failOverOnce(cluster, gates, seed, story, told, 30, { moment: 'unlink' });
    expect(story.faults).toEqual([]);
    expect(told).toEqual({ kills: 1, losing: 1, cutOff: 1 });
  });

  test('before the run, without a replica: it says which slots can not be judged, and removes nothing', async () => {
    cluster = await startCluster(3, { args: ['--cluster-require-full-coverage', 'no'] });
    for (let i = 0; i < 10; i++) await settleIn(cluster, `c${i}`, STALE);
    const [, victim] = cluster.nodes as readonly TestRedis[];
    await victim?.stop();
    const before = await cluster.keys();
    const failure = await cleanCluster(cluster).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Failure);
    expect(String(failure)).toMatch(
      /slots 5461-10921 of the cluster at redis\+cluster:.* can not be judged \(.*\); nothing is removed, since it could belong to somebody there/,
    );
    expect(await cluster.keys()).toEqual(before);
  });
});
