/** openServing: whether a target serves those who beat, wherever they beat: one server, or each primary of a cluster. */
import type { Address } from '../../config/values/tls.ts';
import { Failure } from '../../domain/failure.ts';
import { type Primary, primariesOf } from '../cluster/nodes/primaries.ts';
import { connect } from '../connection/connect.ts';
import type { Redis } from '../connection/ioredis.ts';
import { infoIn } from './clock.ts';
import { promotedHistory } from './promotion.ts';
import { Serving } from './serving.ts';

export interface Served {
  /** The target's clock, in ms, when all of it takes writes; `null` when some of it does not. Rejects when a connection fails, or its user may not ask. */
  ask(): Promise<number | null>;
  /** The histories that its primaries began as they took over from others. Rejects when a connection fails. */
  promoted(): Promise<readonly string[]>;
  close(): void;
}

/** Connects to all there is to ask. Fails as `connect` does, when any of it can't be reached. */
export async function openServing(to: Address): Promise<Served> {
  const quiet = { onError: () => {} };
  const first = await connect(to, { ...quiet, toPart: true });
  const open: Redis[] = [first];
  const close = () => {
    for (const redis of open) redis.disconnect();
  };
  try {
    const primaries = await primariesOf(first, to);
    if (primaries === null) {
      const serving = new Serving(first);
      return { promoted: async () => await promotedBy([first], to), ask: async () => await askOne(serving), close };
    }
    const opened = await Promise.allSettled(
      primaries.map(async ({ address }) => await connect(address, { ...quiet, toPart: true })),
    );
    for (const result of opened) if (result.status === 'fulfilled') open.push(result.value);
    const failed = opened.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    const all = open.slice(1).map((redis) => new Serving(redis));
    const known = namesOf(primaries);
    const promoted = async () => await promotedBy(open.slice(1), to);
    const ask = async (): Promise<number | null> => {
      const clocks = await Promise.all(all.map(askOne));
      const slots = String(await first.call('CLUSTER', 'INFO'));
      const now = await primariesOf(first, to);
      // Whoever took over, or joined, was not asked; and with a slot that is nobody's, nobody is served.
      if (now === null || namesOf(now) !== known || !slots.includes('cluster_state:ok')) return null;
      return clocks.some((clock) => clock === null) ? null : Math.min(...clocks.map(Number));
    };
    return { promoted, ask, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** A right that somebody took from this user is no outage. */
async function askOne(serving: Serving): Promise<number | null> {
  const clock = await serving.ask();
  if (clock === null && serving.why?.startsWith('NOPERM')) throw new Failure('DENIED', serving.why);
  return clock;
}

async function promotedBy(primaries: readonly Redis[], { url }: Address): Promise<readonly string[]> {
  const told = await Promise.all(primaries.map(async (redis) => infoIn(String(await redis.info('replication')))));
  return told.flatMap((info) => promotedHistory(url, info) ?? []);
}

function namesOf(primaries: readonly Primary[]): string {
  return primaries
    .map(({ member }) => member.id)
    .sort()
    .join();
}
