/** open ledger: the ledger, and what earlier runs saw, over a connection of one's own, for a run without a queue. */
import type { QueueConfig } from '../config/resolve.ts';
import { connect } from '../redis/connection/connect.ts';
import { whyNoLedger } from '../redis/rights/needs.ts';
import { Ledger, type LedgerSettings } from './ledger.ts';
import { RunSightings, type RunSightingsOptions } from './sightings/runSightings.ts';
import type { SightedTarget } from './sightings/sightingsKey.ts';

export interface OpenLedger {
  readonly ledger: Ledger;
  /** What earlier runs saw of a target. */
  sightingsOf(target: SightedTarget, options: RunSightingsOptions): RunSightings;
  /** Why no run can be recorded there, in a sentence; `null` where nothing speaks against it. */
  whyNot(): Promise<string | null>;
  close(): void;
}

/** A server that stands still does not answer the end of a connection: how long that is waited for, in ms. */
const FAREWELL_MS = 300;

/** Opens it. Fails (`UNREACHABLE`) within seconds when the queue's Redis is not there, or, once `signal` is aborted, with its reason. */
export async function openLedger(
  queue: QueueConfig,
  settings: LedgerSettings,
  signal?: AbortSignal,
): Promise<OpenLedger> {
  const redis = await connect(queue, {
    onError: () => {},
    prefix: queue.prefix,
    // What is known of the past can be read where nothing more can be written.
    toRead: true,
    signal,
    redis: { disconnectTimeout: FAREWELL_MS },
  });
  const ledger = new Ledger(redis, queue.prefix, settings);
  return {
    ledger,
    sightingsOf: (target, options) => new RunSightings(ledger.sightingsOf(target), options),
    whyNot: async () => await whyNoLedger(redis, queue.prefix),
    close: () => redis.disconnect(),
  };
}
