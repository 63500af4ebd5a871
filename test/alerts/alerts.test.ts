import { describe, expect, test } from 'vitest';
import { FAULTS } from './faults.ts';
import { runbookOf } from './runbook.ts';
import { expectMended } from './scene.ts';
import { ALERTS } from './shorten.ts';

describe.concurrent('in a real Prometheus', () => {
  test.for(FAULTS.filter(({ cheap }) => cheap))(
    '$alert fires when $what, and its page mends it',
    async (fault, { onTestFinished }) => {
      await expectMended(fault, onTestFinished);
    },
  );
});

test('every alert has a fault that fires it, every page has commands, and every point that is tried stands there', () => {
  expect([...new Set(FAULTS.map(({ alert }) => alert))].sort()).toEqual([...ALERTS].sort());
  for (const { alert, point } of FAULTS) {
    const { look, mend } = runbookOf(alert);
    expect(look.length).toBeGreaterThan(0);
    expect([...mend.keys()]).toContain(point);
  }
});
