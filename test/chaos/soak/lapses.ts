/** soak: hundreds of coordinators that die and come back under heartbeats that expire, while workers are killed and frozen, both servers
 * restarted, the target frozen and failed over, and connections lost: in both strategies, for 20 minutes each, or `SOAK_MINUTES`; and
 * two deployments that share one queue's Redis.
 */
import { expect, test } from 'vitest';
import { letLapse } from '../lapses.ts';
import { Server } from '../server.ts';
import {
  failOver,
  freezeTarget,
  freezeWorker,
  losePackets,
  loseWorker,
  restartQueue,
  restartTarget,
} from '../troubles.ts';

const minutes = Number(process.env.SOAK_MINUTES || 20);
/** Between two of them everybody dead is due. */
const APART_SECONDS = 60;
const TROUBLES = [failOver, freezeWorker, restartQueue, freezeTarget, losePackets, restartTarget, loseWorker];

function troublesOf(all: typeof TROUBLES) {
  return Array.from({ length: minutes - 1 }, (_, n) => all[n % all.length] ?? loseWorker);
}

for (const strategy of ['script', 'transaction'] as const) {
  test(`of all who die and come back the dead go, and everybody else stays whole, by ${strategy} (P1, P2, P10, P11)`, async (context) => {
    const plan = { strategy, coordinators: 400, seconds: minutes * 60, apartSeconds: APART_SECONDS };
    const seen = await letLapse(context, { ...plan, troubles: troublesOf(TROUBLES) });
    console.log(`${strategy}: ${JSON.stringify(seen)}`);
    expect(seen.deaths).toBeGreaterThan(100 * minutes);
  });
}

test('the same in two deployments that share one Redis for their queues (P1, P2, P11)', async (context) => {
  const queue = await Server.start();
  context.onTestFinished(async () => await queue.stop());
  const plan = { strategy: 'script', coordinators: 200, seconds: minutes * 60, apartSeconds: APART_SECONDS } as const;
  const deployments = ['{one}', '{two}'].map(async (prefix) => {
    const troubles = troublesOf([loseWorker, freezeTarget, losePackets, freezeWorker, failOver]);
    return await letLapse(context, { ...plan, troubles, shares: { queue, prefix } });
  });
  for (const seen of await Promise.all(deployments)) {
    console.log(`two deployments: ${JSON.stringify(seen)}`);
    expect(seen.deaths).toBeGreaterThan(40 * minutes);
  }
});
