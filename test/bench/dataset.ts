/** dataset: the data of one case, written once, and as many fresh servers with it as there are trials.
 *
 * A server is a new process that loads the saved data: its hash seed is its own, so keys lie in memory in no order that a SCAN
 * would profit from, and no trial inherits another's fragments.
 */
import { rmSync } from 'node:fs';
import { link, mkdir, mkdtemp, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { compileSchema, SHIPPED_SCHEMAS } from '../../src/schema/keySchema.ts';
import { populate } from '../../src/redis/populate.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type SchemaName, sampleKeysOf } from './keys.ts';

/** Far longer than a case takes, so that who is active when the data are written is so in the last trial too. */
export const STALE_AFTER = '1d';
const STALE_AFTER_SECONDS = 86_400;
const BATCH = 10_000;
/** About what a session takes. */
const FOREIGN_VALUE = 'x'.repeat(64);

export interface Sample {
  readonly schema: SchemaName;
  readonly coordinators: number;
  readonly stale: number;
  /** Keys that are nobody's business here. */
  readonly foreign: number;
  /** Acknowledgements of each coordinator. */
  readonly acks: number;
  /** How much longer a heartbeat's value is than usual, in bytes. */
  readonly padding: number;
}

export interface Dataset {
  /** How many keys a fresh server holds. */
  readonly keys: number;
  /** Starts a private server that holds the data. */
  serve(): Promise<TestRedis>;
  remove(): void;
}

const writeForeign = async (redis: Redis, count: number): Promise<void> => {
  for (let from = 0; from < count; from += BATCH) {
    const pipeline = redis.pipeline();
    for (let n = from; n < Math.min(from + BATCH, count); n++) pipeline.set(`session:${n}`, FOREIGN_VALUE);
    await pipeline.exec();
  }
};

const padHeartbeats = async (redis: Redis, { schema, coordinators, padding }: Sample): Promise<void> => {
  for (let number = 0; number < coordinators; number++) {
    const key = sampleKeysOf(schema, number, 0).at(-1) ?? '';
    const beat = JSON.parse((await redis.get(key)) ?? '') as object;
    await redis.set(key, JSON.stringify({ ...beat, state: 'x'.repeat(padding) }));
  }
};

const write = async (redis: Redis, wanted: Sample): Promise<void> => {
  const { schema, coordinators, stale, foreign, acks, padding } = wanted;
  const families = SHIPPED_SCHEMAS[schema];
  if (families === undefined) throw new TypeError(`there is no schema "${schema}"`);
  // Among the coordinators' keys, as they would be after years.
  await writeForeign(redis, foreign);
  const sample = { coordinators, stale, acks, staleAfterSeconds: STALE_AFTER_SECONDS };
  await populate(redis, compileSchema(schema, families), sample);
  if (padding > 0) await padHeartbeats(redis, wanted);
};

/** Writes the data. */
export const createDataset = async (sample: Sample): Promise<Dataset> => {
  const folder = await mkdtemp(join(tmpdir(), 'stalesweep-bench-'));
  // Up to a gigabyte, which an interrupted benchmark must not leave behind.
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  const saved = join(folder, 'data.rdb');
  const server = await startRedis(['--dir', folder, '--rdbcompression', 'no', '--rdbchecksum', 'no']);
  let keys: number;
  try {
    await write(server.redis, sample);
    keys = await server.redis.dbsize();
    await server.redis.save();
    await rename(join(folder, 'dump.rdb'), saved);
  } finally {
    await server.stop();
  }
  let served = 0;
  return {
    keys,
    serve: async () => {
      const own = join(folder, `${served++}`);
      await mkdir(own);
      const slowlog = ['--slowlog-log-slower-than', '100', '--slowlog-max-len', '1000000'];
      const fresh = await startRedis(['--dir', own, '--enable-debug-command', 'yes', ...slowlog]);
      // Loaded by command rather than at start, since its reply tells when the data are there.
      await link(saved, join(own, 'dump.rdb'));
      await fresh.redis.call('DEBUG', 'RELOAD', 'NOSAVE');
      return fresh;
    },
    remove: () => {
      process.off('exit', remove);
      remove();
    },
  };
};
