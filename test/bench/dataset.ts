/** dataset: the data of one case, written once, and as many fresh servers with it as there are trials.
 *
 * These are easy data: ids have one segment, an idempotency key names one coordinator and nothing else, and what is one
 * coordinator's is written in one go. The field, and `populate`, write harder ones.
 *
 * A server is a new process that loads the saved data: its hash seed is its own, so keys lie in memory in no order that a SCAN
 * would profit from, and no trial inherits another's fragments.
 */
import { rmSync } from 'node:fs';
import { link, mkdir, mkdtemp, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type SchemaName, sampleKeysOf } from './keys.ts';

/** Far longer than a case takes, so that who is active when the data are written is so in the last trial too. */
export const STALE_AFTER = '1d';
const STALE_AFTER_SECONDS = 86_400;
const SILENT_FOR_SECONDS = 3_600;
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

const writeCoordinators = async (
  redis: Redis,
  { schema, coordinators, stale, acks, padding }: Sample,
): Promise<void> => {
  const nowMs = Number((await redis.time())[0]) * 1000;
  const padded = padding > 0 ? { state: 'x'.repeat(padding) } : {};
  let pipeline = redis.pipeline();
  for (let number = 0; number < coordinators; number++) {
    const timestamp = number < stale ? nowMs - (STALE_AFTER_SECONDS + SILENT_FOR_SECONDS) * 1000 : nowMs;
    const beat = { coordinatorId: `coordinator-${number}`, timestamp, iteration: 1, ...padded };
    const [heartbeat = '', ...others] = sampleKeysOf(schema, number, acks).toReversed();
    pipeline.set(heartbeat, JSON.stringify(beat));
    for (const key of others) pipeline.set(key, '1');
    if (pipeline.length >= BATCH || number + 1 === coordinators) {
      await pipeline.exec();
      pipeline = redis.pipeline();
    }
  }
};

const write = async (redis: Redis, sample: Sample): Promise<void> => {
  // Among the coordinators' keys, as they would be after years.
  await writeForeign(redis, sample.foreign);
  await writeCoordinators(redis, sample);
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
