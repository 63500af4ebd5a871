import { expect, test } from 'vitest';
import { renderReport } from '../../src/cli/output/render.ts';
import type { Report } from '../../src/domain/report.ts';
import { heartbeatOf } from '../support/world.ts';

const REPORT: Report = {
  run: '7',
  target: 'default',
  trigger: 'cli',
  dryRun: false,
  outcome: 'completed',
  pass: 'full',
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:00:01.440Z',
  durationMs: 1_440,
  staleAfterSeconds: 600,
  coordinators: {
    checked: 1_003,
    active: 988,
    stale: 0,
    unreadable: 15,
    held: 0,
    protected: 0,
    lapsed: 0,
    swept: 0,
    revived: 0,
  },
  silence: [],
  keys: { found: 0, deleted: 0, orphans: null, kept: 0, byFamily: { heartbeat: 0 } },
  redis: { calls: 12, slowestCallMs: 2.1, memoryFreedBytes: 0 },
  chunks: 0,
  strategy: 'script',
  attempts: 1,
  unreadable: [
    { why: 'not-json', count: 3, sample: ['a', 'b', 'c'].map((id) => heartbeatOf(id)) },
    { why: 'wrong-unit', count: 12, sample: Array.from({ length: 10 }, (_, i) => heartbeatOf(`s${i}`)) },
  ],
};

test('a report shows unreadable heartbeats by reason, with count and names, in 80 columns', () => {
  const lines = renderReport(REPORT).split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  const from = lines.findIndex((line) => line.startsWith('  unreadable'));
  expect(lines.slice(from)).toEqual([
    '  unreadable    3 not-json: is no JSON object',
    ...['a', 'b', 'c'].map((id) => `                  ${heartbeatOf(id)}`),
    '                12 wrong-unit: holds a time too early for milliseconds',
    ...Array.from({ length: 10 }, (_, i) => `                  ${heartbeatOf(`s${i}`)}`),
    '                  and 2 more',
  ]);
});

test('that the threshold counts double is said where nobody is held any more, too', () => {
  const held = { since: '2026-01-01T00:00:00.000Z', until: null };
  const said = (count: number) =>
    renderReport({ ...REPORT, held, coordinators: { ...REPORT.coordinators, held: count } });
  expect(said(3)).toContain('held since 2026');
  expect(said(0)).toContain('since 2026-01-01T00:00:00.000Z the threshold counts double');
  expect(said(0)).not.toContain('held');
});

test('what lies in the trash is not called freed', () => {
  const keys = { ...REPORT.keys, found: 6, deleted: 6 };
  expect(renderReport({ ...REPORT, keys })).toMatch(/[kM]?B freed/);
  const trashed = renderReport({ ...REPORT, keys: { ...keys, trashed: 6 } });
  expect(trashed).toContain('6 of them to the trash');
  expect(trashed).not.toContain('freed');
});

test('a report of a later version may know more reasons, and names may hold what a terminal obeys', () => {
  const group = { why: 'too-odd', count: 1, sample: ['a\u001b[2Jb'] };
  const lines = renderReport({ ...REPORT, unreadable: [group] } as unknown as Report).split('\n');
  expect(lines.slice(-2)).toEqual(['  unreadable    1 too-odd', '                  a [2Jb']);
});

test('a completed run that met nobody shows why', () => {
  const reason = 'all 3 keys hold no heartbeat of schema "swarm"';
  expect(renderReport({ ...REPORT, reason }).split('\n')[1]).toBe(`  ${reason}`);
});
