/** write: the data of a case, into an empty Redis. */
import type { Redis } from 'ioredis';
import { populate } from '../../src/redis/sample/populate.ts';
import { compileSchema } from '../../src/schema/keySchema.ts';
import { SHIPPED_SCHEMAS } from '../../src/schema/shipped.ts';
import { easyKeysOf, NAMES } from './keys.ts';
import type { Sample } from './sample.ts';

/** Far longer than data are used, so that who is active when they are written is so in the last trial too. */
export const STALE_AFTER = '1d';
const STALE_AFTER_SECONDS = 86_400;
const SILENT_FOR_SECONDS = 3_600;
const BATCH = 10_000;
/** About what a session takes. */
const FOREIGN_VALUE = 'x'.repeat(64);

async function writeForeign(redis: Redis, count: number): Promise<void> {
  for (let from = 0; from < count; from += BATCH) {
    const pipeline = redis.pipeline();
    for (let n = from; n < Math.min(from + BATCH, count); n++) pipeline.set(`session:${n}`, FOREIGN_VALUE);
    await pipeline.exec();
  }
}

async function writeEasy(redis: Redis, sample: Sample): Promise<void> {
  const { coordinators, stale, padding } = sample;
  const nowMs = Number((await redis.time())[0]) * 1000;
  const padded = padding > 0 ? { state: 'x'.repeat(padding) } : {};
  let pipeline = redis.pipeline();
  for (let number = 0; number < coordinators; number++) {
    const timestamp = number < stale ? nowMs - (STALE_AFTER_SECONDS + SILENT_FOR_SECONDS) * 1000 : nowMs;
    const beat = { coordinatorId: `coordinator-${number}`, timestamp, iteration: 1, ...padded };
    const [heartbeat = '', ...others] = easyKeysOf(sample, number).toReversed();
    pipeline.set(heartbeat, JSON.stringify(beat));
    for (const key of others) pipeline.set(key, '1');
    if (pipeline.length >= BATCH || number + 1 === coordinators) {
      await pipeline.exec();
      pipeline = redis.pipeline();
    }
  }
}

async function writeField(redis: Redis, { schema, coordinators, stale, acks, ttlMs }: Sample): Promise<void> {
  const compiled = compileSchema(schema, SHIPPED_SCHEMAS[schema] ?? { families: {} });
  const staleAfterSeconds = STALE_AFTER_SECONDS;
  await populate(redis, compiled, {
    coordinators,
    stale,
    acks,
    idempotency: 1,
    staleAfterSeconds,
    ttlMs: ttlMs ?? undefined,
  });
}

/** Writes all of it; the foreign keys first: among them the others lie as they would after years. */
export async function writeSample(redis: Redis, sample: Sample): Promise<void> {
  await writeForeign(redis, sample.foreign);
  if (sample.data === 'easy') await writeEasy(redis, sample);
  else await writeField(redis, sample);
}

/** When the stale ones beat last, in ms since the epoch, as their names hold it; 0 when nobody's does. */
export async function staleBeatAtOf(redis: Redis, { data, schema, stale }: Sample): Promise<number> {
  if (data === 'easy' || stale === 0) return 0;
  // Whoever comes first is stale, and has the time as its activity.
  return Number(await redis.get(NAMES[schema].activity('coordinator-0', 'swarm-0')));
}
