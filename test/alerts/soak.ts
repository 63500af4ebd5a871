/** soak: every alert fires in a real Prometheus from a real fault, and its runbook's commands mend it. `SOAK_ALERT` names one alone. */
import { describe, test } from 'vitest';
import { FAULTS } from './faults.ts';
import { expectMended } from './scene.ts';

const asked = process.env.SOAK_ALERT;

describe('in a real Prometheus', () => {
  test.for(FAULTS.filter(({ alert }) => asked === undefined || alert === asked))(
    '$alert fires when $what, and its page mends it',
    async (fault, { onTestFinished }) => {
      console.log(await expectMended(fault, onTestFinished));
    },
  );
});
