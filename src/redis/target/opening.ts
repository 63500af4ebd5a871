/** opening: the connections of runs. One may be opened ahead of its run, which then finds it, or why there is none: a Redis that
 * is silent keeps nobody waiting but those who want that very one.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Address } from '../../config/values/tls.ts';
import { connectForRun } from '../connection/connectForRun.ts';
import type { Redis } from '../connection/ioredis.ts';
import { isPassing } from '../connection/unready.ts';
import { retrying } from './retrying.ts';

/** What no run has come for by then is let go: another worker has the run. */
const KEPT_MS = 10_000;

/** A connection that is opened ahead of its run. */
interface Ahead {
  readonly connection: Promise<Redis>;
  /** Ends the attempt. */
  readonly giveUp: AbortController;
  /** Resolves once it is known how the attempt ended, whichever way. */
  readonly settled: Promise<void>;
  isSettled: boolean;
  keptUntil?: NodeJS.Timeout;
}

/** By target: the same one has other settings in one run than in the next, where others on the queue are more careful. */
const ahead = new Map<string, Ahead>();
/** Those that kept waiting whoever came last. */
const silent = new Set<string>();

/** A target, or an address that is none's. */
type Place = Address & { readonly name?: string };

function whereOf({ name, url, tls, sentinel }: Place): string {
  return JSON.stringify([name, url, tls, sentinel]);
}

/** Connects anew; a server that is not ready to serve is waited for. Fails as `connect` does. */
async function connectSteadily(to: Address, signal?: AbortSignal): Promise<Redis> {
  return await retrying(async () => await connectForRun(to, signal), {
    ...(signal ? { signal } : {}),
    shouldRetry: ({ error }) => isPassing(error.cause),
  });
}

/** The connection for a run: the one that was opened ahead, if any. Fails as `connect` does, or with the signal's reason. */
export async function openForRun(to: Place, signal?: AbortSignal): Promise<Redis> {
  const where = whereOf(to);
  const begun = ahead.get(where);
  if (begun === undefined) return await connectSteadily(to, signal);
  ahead.delete(where);
  clearTimeout(begun.keptUntil);
  if (signal?.aborted) letGo(begun);
  signal?.throwIfAborted();
  const redis = await begun.connection;
  if (redis.status === 'ready') return redis;
  redis.disconnect();
  return await connectSteadily(to, signal);
}

/**
 * Begins to open the connection for a run, unless that is under way. Resolves to whether the run may begin: the connection is
 * open, or it is known why not. Waits for that no longer than `waitMs`, and not at all where it took too long the last time.
 */
export async function openAhead(to: Place, waitMs: number): Promise<boolean> {
  const where = whereOf(to);
  const begun = ahead.get(where) ?? begin(to, where);
  if (begun.isSettled) return true;
  if (!silent.has(where)) {
    const enough = new AbortController();
    const late = pause(waitMs, undefined, { signal: enough.signal });
    await Promise.race([begun.settled, late]);
    enough.abort();
  }
  if (!begun.isSettled) silent.add(where);
  return begun.isSettled;
}

/** Lets go what was opened ahead to there, if anything. */
export function closeAhead(to: Place): void {
  const where = whereOf(to);
  const begun = ahead.get(where);
  if (begun === undefined) return;
  ahead.delete(where);
  letGo(begun);
}

function begin(to: Place, where: string): Ahead {
  const giveUp = new AbortController();
  const connection = connectSteadily(to, giveUp.signal);
  const settle = () => {
    begun.isSettled = true;
    if (ahead.get(where) === begun) begun.keptUntil = setTimeout(() => closeAhead(to), KEPT_MS).unref();
  };
  const answered = () => {
    silent.delete(where);
    settle();
  };
  const begun: Ahead = { connection, giveUp, settled: connection.then(answered, settle), isSettled: false };
  ahead.set(where, begun);
  return begun;
}

function letGo({ connection, giveUp, keptUntil }: Ahead): void {
  clearTimeout(keptUntil);
  giveUp.abort(new Error('nobody waits for it any more'));
  connection.then(
    (redis) => redis.disconnect(),
    () => {},
  );
}
