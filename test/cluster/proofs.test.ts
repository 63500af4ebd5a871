import { expect, test } from 'vitest';
import { cleanCluster, useCluster } from '../support/cluster.ts';
import { COUNTED, LITTLE_MEMORY, proofWorld } from '../support/proofs.ts';

const place = useCluster();

test('in a cluster, whoever writes its heartbeat anew stays, however long that is and whatever proves it; everybody else goes (P1)', async () => {
  const { redis } = place.current;
  const { world, anew, stays } = proofWorld(Math.floor(Date.now() / 1000) * 1000 - 3_600_000);
  const write = async (values: Readonly<Record<string, string>>) =>
    await Promise.all(Object.entries(values).map(async ([key, value]) => await redis.set(key, value)));
  await write(world);
  const report = await cleanCluster(place.current, {
    memoryBudgetBytes: LITTLE_MEMORY,
    confirm: async () => {
      await write(anew);
      return true;
    },
  });
  expect(await place.current.keys()).toEqual(stays);
  expect(report.coordinators).toMatchObject(COUNTED);
});
