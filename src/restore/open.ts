/** open: the way to a target's trash, for whoever looks into it: one server's, or a cluster's. */
import type { TargetConfig } from '../config/resolve.ts';
import { Failure } from '../domain/failure.ts';
import { Rest } from '../redis/call/rest.ts';
import { type Calls, ServerCalls } from '../redis/call/calls.ts';
import { type Info, keyspaceSizeOf, readInfo } from '../redis/target/clock.ts';
import { isClusterNode } from '../redis/connection/cluster.ts';
import { infoAtOpening } from '../redis/connection/connectForRun.ts';
import { explain } from '../redis/connection/explain.ts';
import { isRefusal } from '../redis/rights/refusals.ts';
import { measureLatency } from '../redis/pace/latency.ts';
import { Link } from '../redis/target/link.ts';
import { Paces } from '../redis/pace/paces.ts';
import { Patience } from '../redis/target/patience.ts';
import { ServerTrash, type TrashPlace } from '../redis/trash/place.ts';

/** So many things are brought back in one call at most. */
const MOST_THINGS = 2_000;

/**
 * Opens it, does the work, and closes it again. Fails with `UNREACHABLE` or `DENIED`, with the reason of `signal` once that is
 * aborted, or as the work does.
 */
export async function withTrash<T>(
  target: TargetConfig,
  signal: AbortSignal,
  work: (trash: TrashPlace) => Promise<T>,
): Promise<T> {
  const link = await Link.open(target, signal);
  try {
    if (!isClusterNode(infoAtOpening(link.redis))) return await work(await serverTrash(link, target, signal));
    const { ClusterTrash } = await import('../redis/cluster/trash.ts');
    const trash = await ClusterTrash.open(link, target, signal);
    try {
      return await work(trash);
    } finally {
      trash.close();
    }
  } catch (error) {
    if (error instanceof Failure && error.code === 'INTERRUPTED') signal.throwIfAborted();
    throw explain(error, target);
  } finally {
    link.close();
  }
}

async function serverTrash(link: Link, target: TargetConfig, signal: AbortSignal): Promise<TrashPlace> {
  const calls = new ServerCalls(link.redis, new Rest(target.nice));
  const patience = new Patience(link, calls, signal);
  const info = await patience.steadily(async () => await infoOf(calls));
  link.remember(info);
  calls.latencyMs = await patience.steadily(async () => await measureLatency(calls));
  const paces = new Paces(calls, target, MOST_THINGS);
  await patience.steadily(async () => await paces.begin());
  return new ServerTrash({
    calls,
    paces,
    signal,
    keyspace: keyspaceSizeOf(info),
    steadily: async (kind, attempt) => await patience.steadily(attempt, () => paces[kind].backOff()),
  });
}

async function infoOf(calls: Calls): Promise<Info> {
  try {
    return await readInfo(calls);
  } catch (error) {
    if (isRefusal(error)) return new Map();
    throw error;
  }
}
