/** announced: what is said of those who are swept, as somebody hears it. */
import type { Redis } from 'ioredis';
import { expect, onTestFinished } from 'vitest';

/** What a user needs besides to tell on the channel `swept` or in a stream, and to keep what goes in a trash. */
export const TELLING = [
  '+publish',
  '+xadd',
  '+set',
  '+sadd',
  '+sismember',
  '&swept',
  '+renamenx',
  '+pexpire',
  '+persist',
  '+pttl',
];

/** What is said at once. */
export interface Said {
  readonly run: string;
  readonly target: string;
  readonly at: string;
  readonly coordinators: readonly { readonly id: string; readonly swarm: string | null }[];
}

/** As it is compared. */
export function nameOf({ id, swarm }: Said['coordinators'][number]): string {
  return `${swarm}/${id}`;
}

/** Hears the channel `swept` from now on; resolves to what tells everybody who was named until then, sorted. */
export async function listen(redis: Redis): Promise<() => Promise<string[]>> {
  const said: Said[] = [];
  const ear = redis.duplicate({ connectionName: 'fixture' });
  onTestFinished(() => ear.disconnect());
  await ear.subscribe('swept');
  ear.on('message', (_, message) => said.push(JSON.parse(message) as Said));
  return async () => {
    // What was said before has been heard once this is.
    await redis.publish('swept', JSON.stringify({ run: 'end', coordinators: [] }));
    await expect.poll(() => said.at(-1)?.run, { timeout: 30_000 }).toBe('end');
    return said.flatMap(({ coordinators }) => coordinators.map(nameOf)).sort();
  };
}
