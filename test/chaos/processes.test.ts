import { expect, test } from 'vitest';
import { type Running, start } from '../support/cli.ts';
import { expectTotals } from './metrics.ts';
import { storm } from './storm.ts';

test('no active coordinator loses a key while workers are killed and stopped at random (P1, P3)', async (context) => {
  const after = await storm(context, {
    seconds: 4,
    workers: 3,
    gust: async ({ fleet, random }) => {
      const heir = fleet.join(1);
      await random.moment(0, 600);
      if (fleet.killed === 0 || random.next() < 0.3) await fleet.kill();
      else fleet.stop();
      await heir;
    },
  });
  // The last twentieth of a second before a kill is not reported.
  expect(after.reported).toBeLessThanOrEqual(after.swept);
});

test('runs that are handed back again and again are reported and counted in full (P3)', async (context) => {
  let dashboard: Running | undefined;
  const after = await storm(context, {
    seconds: 4,
    within: true,
    before: async ({ env }) => {
      dashboard = start(['dashboard'], { ...env, STALESWEEP_PORT: '0' });
      await dashboard.says('dashboard started');
    },
    gust: async ({ fleet, random }) => {
      const heir = fleet.join(1);
      await random.moment(0, 600);
      fleet.stop();
      await heir;
    },
    after: async (_, aftermath) => {
      if (dashboard) await expectTotals([dashboard], aftermath);
      expect((await dashboard?.kill('SIGTERM'))?.code).toBe(0);
    },
  });
  expect(after.reported).toBe(after.swept);
});
