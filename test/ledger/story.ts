/** story: runs as they are told to the ledger, and what a plain list in memory knows of them. */
import type { Report } from '../../src/domain/report.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import type { RunToRecord } from '../../src/ledger/recording/recorder.ts';
import { Blocks } from '../../src/ledger/blocks.ts';
import type { Redis } from 'ioredis';

const BOUNDS = { sizeBytes: 256 * 1024 * 1024, ageMs: 90 * 86_400_000 };
const PREFIX = '{stalesweep}';

export function ledgerIn(redis: Redis): Ledger {
  return new Ledger(redis, PREFIX, BOUNDS);
}
export function blocksIn(redis: Redis, bounds: Partial<typeof BOUNDS> = {}): Blocks {
  return new Blocks(redis, PREFIX, { ...BOUNDS, ...bounds });
}

export const FAMILIES = ['heartbeat', 'signal', 'ack', 'idempotency', 'activity', 'state'];

export function runOf(run: string, target = 'default'): RunToRecord {
  return {
    run,
    target,
    fingerprint: '',
    trigger: 'manual',
    by: 'somebody',
    dryRun: false,
    families: FAMILIES,
  };
}

export function reportOf(run: string, target: string, swept: number, outcome: Report['outcome'] = 'completed'): Report {
  return {
    run,
    target,
    trigger: 'manual',
    dryRun: false,
    outcome,
    pass: 'full',
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:00:01.440Z',
    durationMs: 1_440,
    staleAfterSeconds: 600,
    silence: [10, 0, 0, 0, 0, 0, 0, 0, 0, 0, swept],
    coordinators: {
      checked: swept + 10,
      active: 10,
      stale: swept,
      unreadable: 0,
      held: 0,
      protected: 0,
      lapsed: 0,
      swept,
      revived: 0,
    },
    keys: {
      found: 6 * swept,
      deleted: 6 * swept,
      orphans: 0,
      kept: 0,
      byFamily: Object.fromEntries(FAMILIES.map((family) => [family, swept])),
    },
    redis: { calls: 1_200, slowestCallMs: 2.1, memoryFreedBytes: 70 * swept },
    chunks: Math.ceil(swept / 200),
    strategy: 'script',
    attempts: 1,
    unreadable: [],
  };
}

/** Fails the test: nothing of this may be told. */
export function unexpected(sentence: string): never {
  throw new Error(sentence);
}
