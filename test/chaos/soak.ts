/** soak: thousands of coordinators that die and come back under heartbeats that expire, in both strategies, while workers are
 * killed and both servers restarted: for 20 minutes each, or `SOAK_MINUTES`.
 */
import { expect, test } from 'vitest';
import { letLapse, loseWorker, restartQueue, restartTarget } from './lapses.ts';

const minutes = Number(process.env.SOAK_MINUTES || 20);
/** Between two of them everybody dead is due. */
const APART_SECONDS = 60;
const TROUBLES = [restartQueue, restartTarget, loseWorker];

for (const strategy of ['script', 'transaction'] as const) {
  test(`of all who die and come back the dead go, and everybody else stays whole, by ${strategy} (P1, P2, P10, P11)`, async (context) => {
    const troubles = Array.from({ length: minutes - 1 }, (_, n) => TROUBLES[n % TROUBLES.length] ?? loseWorker);
    const plan = { strategy, coordinators: 400, seconds: minutes * 60, apartSeconds: APART_SECONDS, troubles };
    const seen = await letLapse(context, plan);
    console.log(`${strategy}: ${JSON.stringify(seen)}`);
    expect(seen.deaths).toBeGreaterThan(100 * minutes);
  });
}
