import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { lineOf } from '../../src/ledger/runs/page.ts';
import { parseRun } from '../../src/ledger/runs/pastRun.ts';
import { sayOutcome } from '../../src/pages/run/outcome.ts';
import { spentIn } from '../../src/pages/run/phases.tsx';
import { reportOf } from '../ledger/story.ts';

function said(report: Report): string {
  const { outcome, coordinators, keys } = report;
  const removed = { swept: coordinators.swept, deleted: keys.deleted };
  const identity = { run: '1', target: 'a', fingerprint: '', trigger: 'schedule', by: null, dryRun: false } as const;
  const run = { ...identity, state: 'ended', startedAtMs: 1, atMs: 2, attempts: 1, reason: null } as const;
  return sayOutcome(parseRun(lineOf({ ...run, outcome, removed, report }))).join(' ');
}

const NOBODY = reportOf('1', 'a', 0);

test('a run that needed no look says so, and not that it met nobody', () => {
  const none = { ...NOBODY.coordinators, checked: 0, active: 0 };
  expect(said({ ...NOBODY, pass: 'none', coordinators: none })).toMatch(/nobody could be stale yet.*looked at nobody/);
  expect(said({ ...NOBODY, pass: 'due', coordinators: { ...none, checked: 3, active: 3 } })).toMatch(/3 coordinators/);
  expect(said({ ...NOBODY, coordinators: none })).toBe('It met no coordinator.');
});

test('what lies in the trash frees no memory', () => {
  const swept = reportOf('1', 'a', 7);
  expect(said(swept)).toContain('freed');
  const trashed = said({ ...swept, keys: { ...swept.keys, trashed: swept.keys.deleted } });
  expect(trashed).toContain('to the trash');
  expect(trashed).not.toContain('freed');
});

test('phases and what is told beside them are together what a run took, however many tries that were', () => {
  const some = fc.integer({ min: 1, max: 100_000 });
  fc.assert(
    fc.property(
      fc.array(some, { minLength: 1, maxLength: 3 }),
      fc.nat(5_000),
      some,
      fc.boolean(),
      (ms, rest, after, reports) => {
        const phases = Object.fromEntries(ms.map((one, i) => [['mark', 'gather', 'sweep'][i], one]));
        const took = ms.reduce((sum, one) => sum + one, rest);
        const report = reports ? { ...NOBODY, durationMs: took } : null;
        // What comes once the report is made is no part of what it says.
        const run = { state: 'ended', startedAtMs: 1_000, atMs: 1_000 + took, report } as const;
        const spent = spentIn({ ...run, phases: { ...phases, report: after } });
        expect(spent.reduce((sum, [, one]) => sum + one, 0)).toBe(took);
        expect(spent.map(([phase]) => phase)).toEqual([...Object.keys(phases), ...(rest > 0 ? ['rest'] : [])]);
      },
    ),
  );
});
