// What the compiler knows, under `strict`. A test compiles it against the packed package.
import { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import {
  beat,
  createProcessor,
  defineSchema,
  Failure,
  type Heart,
  plan,
  type Report,
  type Schema,
  sweep,
  type SweepOptions,
} from 'stalesweep';

export const agents: Schema = defineSchema({ ids: { shape: 'host:pid' }, heartbeat: 'agents:{coordinator}:beat' });

export async function clean(redis: Redis, signal: AbortSignal): Promise<Report | null> {
  const options: SweepOptions = { redis, schema: agents, staleAfter: '10m', signal };
  try {
    const { coordinators } = await plan(options);
    return coordinators.stale === 0 ? null : await sweep(options);
  } catch (error) {
    if (error instanceof Failure && error.code === 'UNREACHABLE') return null;
    throw error;
  }
}

export async function live(url: string): Promise<Heart> {
  return await beat({ redis: url, schema: agents, coordinator: 'host-1:4711' });
}

export function work(connection: Redis): Worker {
  return new Worker('housekeeping', createProcessor({ redis: connection, schema: agents }), { connection });
}

// @ts-expect-error A duration has a unit.
export const wrong: SweepOptions = { redis: 'redis://localhost', staleAfter: 600 };
