/** cork: commands that leave in one call of the system: sent one by one, each would wake Redis by itself. */
import { type Redis, streamOf } from '../connection/ioredis.ts';

/** Calls `send`, which sends without waiting; what it sent leaves when it returns. */
export function corked<T>(redis: Redis, send: () => T): T {
  const stream = streamOf(redis);
  stream?.cork();
  try {
    return send();
  } finally {
    stream?.uncork();
  }
}
