/** world: coordinators and their keys, written as the systems write them. */
import type { Redis } from 'ioredis';

export const STALE = 601;
export const ACTIVE = 10;

/** Key names of the schema `swarm`, spelled out: the tests must not learn them from the code they test. */
export function heartbeatOf(id: string, swarm = 's1'): string {
  return `swarm:${swarm}:blocking:heartbeat:${id}`;
}

/** Every key of a coordinator, its heartbeat left out. */
export function belongingsOf(id: string, swarm = 's1'): string[] {
  return [
    `blocking:signal:${id}`,
    `blocking:ack:${id}:1`,
    `blocking:ack:${id}:2:3`,
    `blocking:idempotency:${id}`,
    `swarm:${swarm}:agent:${id}:activity`,
    `swarm:${swarm}:blocking:${id}`,
  ];
}

export function everythingOf(id: string, swarm = 's1'): string[] {
  return [heartbeatOf(id, swarm), ...belongingsOf(id, swarm)];
}

/** The server's clock, in whole seconds, as ms. */
export async function nowOf(redis: Redis): Promise<number> {
  return Number((await redis.time())[0]) * 1000;
}

export function beat(timestamp: unknown, id = 'c'): string {
  return JSON.stringify({ coordinatorId: id, timestamp });
}

/** Writes all of them, in as few round trips as is kind. */
export async function writeAll(redis: Redis, values: Readonly<Record<string, string>>): Promise<void> {
  const entries = Object.entries(values);
  for (let from = 0; from < entries.length; from += 5_000) {
    await redis.call('MSET', ...entries.slice(from, from + 5_000).flat());
  }
}

/** A coordinator with all its keys, silent for so many seconds (well away from the threshold, or the second may turn). */
export async function settle(redis: Redis, id: string, silentSeconds: number, swarm = 's1'): Promise<string[]> {
  const at = (await nowOf(redis)) - silentSeconds * 1000;
  const keys = everythingOf(id, swarm);
  await writeAll(redis, Object.fromEntries(keys.map((key) => [key, key === keys[0] ? beat(at, id) : '1'])));
  return keys;
}

/** Every key there is, sorted. */
export async function keysIn(redis: Redis): Promise<string[]> {
  return (await redis.keys('*')).sort();
}

/** How many keys there are that are not stalesweep's own. */
export async function foreignIn(redis: Redis): Promise<number> {
  return (await redis.keys('*')).filter((name) => !name.startsWith('{stalesweep}:')).length;
}
