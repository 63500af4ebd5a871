/** loop: what people write: scanStream, and for each coordinator GET and DEL; then the same for keys that only a scan finds.
 * It takes an id for one segment, and a key for one coordinator's: it can handle the easy data alone. */
import { Redis } from 'ioredis';
import { easyDerivedOf, easyOwnerOf, NAMES, WILDCARDS } from '../keys.ts';
import { contend } from './contend.ts';
import ms, { type StringValue } from 'ms';

contend(async ({ url, sample: { schema }, staleAfter }) => {
  const redis = new Redis(url);
  await redis.ping();
  const limitMs = ms(staleAfter as StringValue);
  const pages = (match: string) => redis.scanStream({ match, count: 100 }) as AsyncIterable<string[]>;
  return {
    go: async () => {
      const stale = new Set<string>();
      for await (const keys of pages(NAMES[schema].heartbeats)) {
        for (const key of keys) {
          const value = await redis.get(key);
          if (value === null) continue;
          const { timestamp } = JSON.parse(value) as { timestamp: number };
          if (Date.now() - timestamp <= limitMs) continue;
          const { id, swarm } = easyOwnerOf(key);
          stale.add(id);
          await redis.del(easyDerivedOf(schema, id, swarm));
        }
      }
      for (const pattern of WILDCARDS) {
        for await (const keys of pages(pattern)) {
          for (const key of keys) if (stale.has(easyOwnerOf(key).id)) await redis.del(key);
        }
      }
      return {};
    },
    close: () => redis.disconnect(),
  };
});
