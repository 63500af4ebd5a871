/** keys: everything in a Redis, byte for byte, to be compared. */
import type { Redis } from 'ioredis';

export interface Dumped {
  readonly dump: string;
  /** In ms, as PTTL tells it. */
  readonly ttlMs: number;
}

const AT_ONCE = 2_000;

/** Every key but stalesweep's own, by its name as a byte string. */
export async function allKeys(redis: Redis): Promise<Map<string, Dumped>> {
  const names: Buffer[] = [];
  let cursor: string | Buffer = '0';
  do {
    const [next, page] = (await redis.scanBuffer(cursor, 'COUNT', AT_ONCE)) as [Buffer, Buffer[]];
    cursor = next.toString();
    names.push(...page.filter((name) => !name.toString('latin1').startsWith('stalesweep:')));
  } while (cursor !== '0');
  const keys = new Map<string, Dumped>();
  for (let from = 0; from < names.length; from += AT_ONCE) {
    const slice = names.slice(from, from + AT_ONCE);
    const pipeline = redis.pipeline();
    for (const name of slice) pipeline.dumpBuffer(name).pttl(name);
    const replies = (await pipeline.exec()) ?? [];
    for (const [i, name] of slice.entries()) {
      const dump = replies[2 * i]?.[1] as Buffer;
      keys.set(name.toString('latin1'), { dump: dump.toString('latin1'), ttlMs: Number(replies[2 * i + 1]?.[1]) });
    }
  }
  return keys;
}

/** What differs: names that only one has, values that are others, times to live that are not what is left by now. */
export function differences(
  before: ReadonlyMap<string, Dumped>,
  after: ReadonlyMap<string, Dumped>,
  passedMs: number,
): readonly string[] {
  const wrong: string[] = [];
  for (const [name, { dump, ttlMs }] of before) {
    const now = after.get(name);
    if (now === undefined) wrong.push(`${name} is gone`);
    else if (now.dump !== dump) wrong.push(`${name} has another value`);
    else if (ttlMs < 0 ? now.ttlMs !== ttlMs : now.ttlMs > ttlMs || now.ttlMs < ttlMs - passedMs - 1_000) {
      wrong.push(`${name} lived for ${ttlMs} ms more, and now for ${now.ttlMs}`);
    }
  }
  for (const name of after.keys()) if (!before.has(name)) wrong.push(`${name} is new`);
  return wrong;
}
