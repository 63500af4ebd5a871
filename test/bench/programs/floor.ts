/** floor: what removing the stale coordinators' keys costs at the very least: one SCAN pass over the keyspace for the heartbeats,
 * their values, and bare UNLINKs of exactly the right keys, which it is told. Without `sweep` in its settings it is the pass alone. */
import { Redis } from 'ioredis';
import { NAMES, staleKeysOf } from '../keys.ts';
import { contend } from './contend.ts';

const PAGE = 1_000;
const BATCH = 1_000;
const IN_FLIGHT = 4;

contend(async ({ url, sample, staleBeatAt, settings }) => {
  const redis = new Redis(url);
  await redis.ping();
  const sweeps = settings.sweep === true;

  const walk = async (): Promise<void> => {
    const read: Promise<void>[] = [];
    let cursor = '0';
    do {
      const [next, heartbeats] = await redis.scan(cursor, 'MATCH', NAMES[sample.schema].heartbeats, 'COUNT', PAGE);
      cursor = next;
      // On its way together with the next page: behind a long way it must not cost a round trip of its own.
      if (sweeps && heartbeats.length > 0) read.push(redis.mgetBuffer(heartbeats).then(() => {}));
    } while (cursor !== '0');
    await Promise.all(read);
  };
  let next = 0;
  let batch: string[] = [];
  /** The next keys to go; none when all have gone. Made as they are needed: a list of millions would cost memory. */
  const take = (): string[] => {
    while (batch.length < BATCH && next < sample.stale) batch.push(...staleKeysOf(sample, next++, staleBeatAt));
    const taken = batch.slice(0, BATCH);
    batch = batch.slice(BATCH);
    return taken;
  };
  const lane = async (): Promise<void> => {
    for (let keys = take(); keys.length > 0; keys = take()) await redis.unlink(...keys);
  };
  return {
    go: async () => {
      await walk();
      if (sweeps) await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
      return {};
    },
    close: () => redis.disconnect(),
  };
});
