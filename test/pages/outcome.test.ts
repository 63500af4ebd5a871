import { expect, test } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { lineOf } from '../../src/ledger/runs/page.ts';
import { parseRun } from '../../src/ledger/runs/pastRun.ts';
import { sayOutcome } from '../../src/pages/run/outcome.ts';
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
