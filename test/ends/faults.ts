/** faults: what may be wrong with the servers of a process at the moment when it is told to end. */
import type { Redis } from 'ioredis';
import { failToSave, type Server } from '../chaos/server.ts';

/** Breaks a server, which need not be mended. */
export type Fault = (server: Server) => Promise<unknown>;

async function freeze({ redis }: Server): Promise<void> {
  process.kill(await pidOf(redis), 'SIGSTOP');
}

export async function pidOf(redis: Redis): Promise<number> {
  return Number(/^process_id:(\d+)/m.exec(await redis.info('server'))?.[1]);
}

async function fill({ redis }: Server): Promise<void> {
  await redis.config('SET', 'maxmemory-policy', 'noeviction');
  await redis.config('SET', 'maxmemory', '1');
}

async function takeNoWrites({ redis }: Server): Promise<void> {
  await redis.call('CLIENT', 'PAUSE', '3600000', 'WRITE');
}

/** By what it is then. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  frozen: freeze,
  gone: async (server) => await server.kill(),
  'full (OOM)': fill,
  'without room on its disk (MISCONF)': failToSave,
  paused: takeNoWrites,
  'a replica': async ({ redis }) => await redis.call('REPLICAOF', '127.0.0.1', '1'),
};

/** Whose servers it may be. */
export const PLACES = ['target', 'queue', 'both'] as const;

/** The processes that stay. */
export const STAYING = ['start', 'worker', 'dashboard'] as const;
