/** cork: commands that leave in one call of the system: sent one by one, each would wake Redis by itself. */
import type { Writable } from 'node:stream';
import type { Redis } from '../connection/ioredis.ts';

/** What a client writes to; another one after each time that its connection was lost. */
export function wayOf(redis: Redis): Partial<Pick<Writable, 'cork' | 'uncork'>> | undefined {
  return (redis as { readonly stream?: Writable }).stream;
}

/** Calls `send`, which sends without waiting; what it sent leaves when it returns. */
export function corked<T>(redis: Redis, send: () => T): T {
  const way = wayOf(redis);
  way?.cork?.();
  try {
    return send();
  } finally {
    way?.uncork?.();
  }
}
