/** floor: what removing the stale coordinators' keys costs at the very least: one SCAN pass over the keyspace, and bare
 * UNLINKs of exactly the right keys, which it is told. Without `sweep` in its settings it is the pass alone. */
import { Redis } from 'ioredis';
import { NAMES, sampleKeysOf } from '../keys.ts';
import { contend } from './contend.ts';

const PAGE = 1_000;
const BATCH = 1_000;
const IN_FLIGHT = 4;

contend(async ({ url, schema, stale, settings }) => {
  const redis = new Redis(url);
  await redis.ping();

  const scanAll = async (): Promise<void> => {
    let cursor = '0';
    do {
      [cursor] = await redis.scan(cursor, 'MATCH', NAMES[schema].heartbeats, 'COUNT', PAGE);
    } while (cursor !== '0');
  };
  let next = 0;
  let batch: string[] = [];
  /** The next keys to go; none when all have gone. Made as they are needed: a list of millions would cost memory. */
  const take = (): string[] => {
    while (batch.length < BATCH && next < stale) batch.push(...sampleKeysOf(schema, next++));
    const taken = batch.slice(0, BATCH);
    batch = batch.slice(BATCH);
    return taken;
  };
  const lane = async (): Promise<void> => {
    for (let keys = take(); keys.length > 0; keys = take()) await redis.unlink(...keys);
  };
  return {
    go: async () => {
      await scanAll();
      if (settings.sweep === true) await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
      return null;
    },
    close: () => redis.disconnect(),
  };
});
