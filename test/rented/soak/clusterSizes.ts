/** soak: clusters whose nodes take, or answer, only so much at once, in all ways in which things go. */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type RentedCluster, startRentedCluster } from '../../support/rented/cluster.ts';
import { expectAllToGo, LIMITS, SETTINGS } from '../clusterLarge.ts';

let rented: RentedCluster;
beforeAll(async () => {
  rented = await startRentedCluster();
});
afterAll(async () => await rented.stop());

describe.each(LIMITS)('a cluster whose nodes take only %s', (_, rule) => {
  test.each(SETTINGS)('is cleaned %s', async (_what, settings) => await expectAllToGo(rented, rule(), settings));
});
