/** scheduled: one scheduled run against a test's Redis, as a worker would do it. */
import type { RunOptions, RunRequest } from '../../src/cleanup/run.ts';
import { runFrom, type ScheduledOptions } from '../../src/cleanup/scheduled.ts';
import type { TargetConfig } from '../../src/config/resolve.ts';
import type { Horizon, Horizons } from '../../src/domain/horizon.ts';
import type { Report } from '../../src/domain/report.ts';
import { openContact } from '../../src/redis/target/openContact.ts';

/** A horizon that is kept in this process alone. */
export class KeptHorizon implements Horizons {
  standsNow: Horizon | null = null;
  /** When the last outage ended, in ms. */
  outageEndedAt = Number.NEGATIVE_INFINITY;

  async standing(): Promise<Horizon | null> {
    return this.standsNow;
  }

  async outageSince(ms: number): Promise<boolean> {
    return this.outageEndedAt > ms;
  }

  async keep(horizon: Horizon | null): Promise<void> {
    this.standsNow = horizon;
  }
}

export interface Scheduled extends Partial<RunRequest> {
  readonly target: TargetConfig;
  readonly horizons: Horizons | null;
  readonly gapSeconds?: number;
  /** What its full pass needs besides. */
  readonly full?: RunOptions;
  readonly onLook?: NonNullable<ScheduledOptions['onLook']>;
}

/** Does it once, over a connection of its own. */
export async function runScheduled(scheduled: Scheduled): Promise<Report> {
  const { target, horizons, gapSeconds = 60, full = {}, onLook, ...asked } = scheduled;
  const { signal } = new AbortController();
  const request: RunRequest = {
    run: 'test-run',
    trigger: 'schedule',
    dryRun: false,
    staleAfterSeconds: target.staleAfterSeconds,
    force: false,
    attempts: 1,
    carried: null,
    startedAt: Date.now(),
    ...asked,
  };
  const contact = await openContact(target, signal);
  try {
    return await runFrom(contact, request, {
      wishes: { dryRun: request.dryRun, signal, warn: () => {} },
      horizons,
      gapSeconds: () => gapSeconds,
      ...(onLook === undefined ? {} : { onLook }),
      full: async () => full,
    });
  } finally {
    contact.close();
  }
}
