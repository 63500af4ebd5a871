/** restore: brings back from a target's trash what was swept. */
import type { TargetConfig } from '../config/resolve.ts';
import { Failure } from '../domain/failure.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** What is to come back: what a coordinator could own, of whichever runs swept it, or all that a run took. */
export type Wanted = { readonly coordinator: Uint8Array } | { readonly run: string };

export interface RestoreOptions {
  /** Heartbeats too: who is still silent then is swept again by the next run. */
  readonly heartbeats?: boolean;
  /** Only counts what would come back; writes nothing. */
  readonly dryRun?: boolean;
  /** Tells which runs swept a coordinator. Without it, or where it knows of none, names decide alone. */
  readonly ledger?: Pick<Ledger, 'find'> | null;
  /** Ends it between two calls, with its reason. */
  readonly signal?: AbortSignal;
  /** Told what an operator should know, that is no failure. */
  readonly warn?: (sentence: string) => void;
}

export interface Restored {
  /** How many keys came back, or, in a dry run, would. */
  readonly restored: number;
  /** The names of those that exist again, and so stay in the trash. */
  readonly existing: readonly string[];
  /** How many have a time to live of their own that is over by now. */
  readonly expired: number;
}

/**
 * Brings back what is in the trash, with the time to live that it would have by now; never over something that exists. Opens a
 * connection of its own; all calls are bounded. Nothing found is no failure. Fails with `UNREACHABLE` or `DENIED`, or with the
 * error of Redis.
 */
export async function restore(_target: TargetConfig, _what: Wanted, _options: RestoreOptions = {}): Promise<Restored> {
  throw new Failure('RUN_FAILED', 'nothing can be restored yet');
}
