import { describe, expect, test } from 'vitest';
import { searchModel } from './spin.ts';

const ONE_RUN = ['AT_ONCE=1', 'MOST_FAILOVERS=1'];
const TWO_RUNS = ['AT_ONCE=2', 'MOST_FAILOVERS=0'];

describe('the protocol of the sweep, in every interleaving with a revival, an end at any step, a failover, the next run', () => {
  test.for([
    ['on one server', ['ONE_SERVER', ...ONE_RUN]],
    ['across slots, where what sets aside may come late', ['LATE', ...ONE_RUN]],
    ['across slots, two runs side by side', ['LATE', 'STRING', ...TWO_RUNS]],
    // With a failover besides it takes ten times as long, and is searched in the soak.
    ['across slots, with a trash that is restored meanwhile', ['STRING', 'TRASH', 'AT_ONCE=1', 'MOST_FAILOVERS=0']],
  ] as const)('takes nothing from who lives, and leaves nothing behind: %s (P1, P3)', async ([, definitions]) => {
    const { errors, assertion, states } = await searchModel(...definitions);
    expect({ errors, assertion }).toEqual({ errors: 0, assertion: null });
    expect(states).toBeGreaterThan(10_000);
  });

  test.for([
    ['the heartbeat goes first', ['HEARTBEAT_FIRST', ...ONE_RUN], 'thing==0'],
    ['what was set aside is not put back', ['NO_PUT_BACK', ...ONE_RUN], 'mine'],
    ['what comes late is still set aside', ['LATE_ASIDE', ...ONE_RUN], 'thing==0'],
    ['what was touched goes without a second reading', ['NO_SECOND_READING', ...ONE_RUN], 'mine'],
    ['the heartbeat goes before replicas heard of the rest', ['NO_WAIT', ...ONE_RUN], 'thing==0'],
    [
      'older things are restored while later ones are aside',
      ['STRING', 'TRASH', 'RESTORE_ANY_TIME', ...ONE_RUN],
      'mine',
    ],
    ['whoever answers for the heartbeat is believed', ['ONE_SERVER', 'ANY_HEART_SERVER', ...ONE_RUN], 'alive'],
  ] as const)('would be seen to fail if %s', async ([, definitions, assertion]) => {
    const found = await searchModel(...definitions);
    expect(found.errors).toBe(1);
    expect(found.assertion).toContain(assertion);
  });
});
