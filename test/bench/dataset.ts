/** dataset: the data of one case, written once, and as many fresh servers with it as there are trials.
 *
 * A server is a new process that loads the saved data: its hash seed is its own, so keys lie in memory in no order that a SCAN
 * would profit from, and no trial inherits another's fragments. Heartbeats get older, and keys expire, while the file lies there:
 * so data that are not new any more are written anew.
 */
import { rmSync } from 'node:fs';
import { link, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { partOf, servePrimaries, split } from './primaries.ts';
import type { Sample } from './sample.ts';
import { staleBeatAtOf, writeSample } from './write.ts';

/** Acknowledgements live for an hour; a trial that begins now may go on for ten minutes. */
const NEW_FOR_MS = 30 * 60_000;

/** One writing of the data. */
interface Written {
  readonly keys: number;
  readonly staleBeatAt: number;
  readonly at: number;
  /** What was left of it after a contender, by what that was to remove. */
  readonly left: Map<string, string>;
}

export interface Served {
  readonly url: string;
  /** Every server that holds a part of the data: one, or the primaries of a cluster. */
  readonly nodes: readonly TestRedis[];
  readonly data: Written;
  stop(): Promise<void>;
}

export interface Dataset {
  /** How many keys a fresh server holds. */
  readonly keys: number;
  /** Starts a private server that holds the data. */
  serve(): Promise<Served>;
  remove(): void;
}

async function write(folder: string, saved: string, sample: Sample, primaries: number | null): Promise<Written> {
  const server = await startRedis(['--dir', folder, '--rdbcompression', 'no', '--rdbchecksum', 'no']);
  try {
    const at = Date.now();
    await writeSample(server.redis, sample);
    const [keys, staleBeatAt] = [await server.redis.dbsize(), await staleBeatAtOf(server.redis, sample)];
    await server.redis.save();
    await rename(join(folder, 'dump.rdb'), saved);
    if (primaries !== null) await split(server.redis, primaries, folder, saved);
    return { keys, staleBeatAt, at, left: new Map() };
  } finally {
    await server.stop();
  }
}

async function start(own: string, saved: string, data: Written, primaries: number | null): Promise<Served> {
  await mkdir(own);
  const args = ['--enable-debug-command', 'yes', '--slowlog-log-slower-than', '100', '--slowlog-max-len', '1000000'];
  const fresh = await (primaries === null
    ? serveOne([...args, '--dir', own])
    : servePrimaries(primaries, args, (node) => join(own, `${node}`)));
  try {
    // Loaded by command rather than at start, since its reply tells when the data are there.
    const load = async ({ redis }: TestRedis, node: number): Promise<number> => {
      const [from, folder] = primaries === null ? [saved, own] : [partOf(saved, node), join(own, `${node}`)];
      await link(from, join(folder, 'dump.rdb'));
      await redis.call('DEBUG', 'RELOAD', 'NOSAVE');
      return await redis.dbsize();
    };
    const sizes = await Promise.all(fresh.nodes.map(load));
    const keys = sizes.reduce((sum, size) => sum + size, 0);
    if (keys !== data.keys) throw new Error(`a fresh server holds ${keys} keys of ${data.keys}`);
  } catch (error) {
    await fresh.stop();
    throw error;
  }
  const stop = async () => {
    await fresh.stop();
    await rm(own, { recursive: true, force: true });
  };
  return { ...fresh, data, stop };
}

type Servers = Omit<Served, 'data'>;

async function serveOne(args: readonly string[]): Promise<Servers> {
  const server = await startRedis(args);
  return { url: server.url, nodes: [server], stop: server.stop };
}

/**
 * Writes the data.
 * @param primaries of the cluster that is to serve them; `null`: one server
 */
export async function createDataset(sample: Sample, primaries: number | null = null): Promise<Dataset> {
  const folder = await mkdtemp(join(tmpdir(), 'stalesweep-bench-'));
  // Up to gigabytes, which an interrupted benchmark must not leave behind.
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  const saved = join(folder, 'data.rdb');
  let data = await write(folder, saved, sample, primaries);
  let served = 0;
  return {
    keys: data.keys,
    serve: async () => {
      if (Date.now() - data.at > NEW_FOR_MS) data = await write(folder, saved, sample, primaries);
      return await start(join(folder, `${served++}`), saved, data, primaries);
    },
    remove: () => {
      process.off('exit', remove);
      remove();
    },
  };
}
