/** past runs: as workers would have left them in the ledger, for whoever shows them. */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { fingerprintOf } from '../../src/config/fingerprint.ts';
import type { TargetConfig } from '../../src/config/resolve.ts';
import type { Outcome, CoordinatorCounts, Report, Trigger } from '../../src/domain/report.ts';
import { Ledger } from '../../src/ledger/ledger.ts';

const BOUNDS = { sizeBytes: 64 * 1024 * 1024, ageMs: 90 * 86_400_000 };

export function ledgerIn(redis: Redis): Ledger {
  return new Ledger(redis, '{stalesweep}', BOUNDS);
}

export interface PastOptions {
  readonly outcome?: Outcome;
  readonly dryRun?: boolean;
  /** @default 'manual' */
  readonly trigger?: Trigger;
  readonly pass?: Report['pass'];
  readonly coordinators?: Partial<CoordinatorCounts>;
  readonly silence?: readonly number[];
  readonly reason?: string;
  readonly held?: NonNullable<Report['held']>;
  /** Who was swept, by id. */
  readonly swept?: readonly string[];
  /** What its report says; left out: just now. */
  readonly finishedAt?: string;
}

/** Notes a run that began and ended just now; resolves to its id. */
export async function noteRun(ledger: Ledger, target: TargetConfig, options: PastOptions = {}): Promise<string> {
  const {
    outcome = 'completed',
    dryRun = false,
    trigger = 'manual',
    pass = 'full',
    reason,
    held,
    silence = Array(11).fill(0),
    swept = [],
  } = options;
  const run = randomUUID();
  const families = target.schema.families;
  const recorder = ledger.record(
    { run, target: target.name, fingerprint: fingerprintOf(target), trigger, by: null, dryRun, families },
    (sentence) => {
      throw new Error(sentence);
    },
  );
  if (!(await recorder.begin())) throw new Error('the run does not stand in the ledger');
  const going = swept.map((id) => ({
    coordinator: Buffer.from(id),
    swarm: Buffer.from('s1'),
    beatMs: Date.now() - 700_000,
    silenceSeconds: 700,
  }));
  await recorder.removing(going);
  recorder.removed(going.map((one) => ({ ...one, keysByFamily: families.map(() => 1) })));
  const counts = { checked: 0, active: 0, stale: swept.length, unreadable: 0, held: 0, protected: 0, lapsed: 0 };
  const deleted = swept.length * families.length;
  const at = new Date().toISOString();
  const report: Report = {
    run,
    target: target.name,
    trigger,
    dryRun,
    outcome: outcome === 'failed' ? 'interrupted' : outcome,
    pass,
    ...(reason === undefined ? {} : { reason }),
    startedAt: at,
    finishedAt: options.finishedAt ?? at,
    durationMs: 1_234,
    staleAfterSeconds: target.staleAfterSeconds,
    coordinators: { ...counts, swept: swept.length, revived: 0, ...options.coordinators },
    ...(held === undefined ? {} : { held }),
    silence,
    keys: {
      found: deleted,
      deleted: dryRun ? 0 : deleted,
      orphans: 0,
      kept: 0,
      byFamily: Object.fromEntries(families.map((family) => [family, swept.length])),
    },
    redis: { calls: 1, slowestCallMs: 1, memoryFreedBytes: 0 },
    chunks: 1,
    strategy: 'script',
    attempts: 1,
    unreadable: [],
  };
  await recorder.end({ outcome, reason: reason ?? null, report: outcome === 'failed' ? null : report });
  return run;
}
