import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, test } from 'vitest';
import { type RentedCluster, startRentedCluster } from '../support/rented/cluster.ts';
import { expectAllToGo, LIMITS, SETTINGS } from './clusterLarge.ts';

let rented: RentedCluster;
beforeAll(async () => {
  rented = await startRentedCluster();
});
afterAll(async () => await rented.stop());

// One of them: all go in the soak.
const [[limit, rule], [what, settings]] = [LIMITS, SETTINGS].map((all) => all[randomInt(all.length)]) as [
  (typeof LIMITS)[number],
  (typeof SETTINGS)[number],
];

test(`a cluster whose nodes take only ${limit} is cleaned ${what}, in calls as small as they take, of sizes that are learnt`, async () => {
  await expectAllToGo(rented, rule(), settings);
});
