/** privateRedis: a redis-server of our own, for a first look without one: on loopback, its data under `.stalesweep/`. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../src/domain/failure.ts';
import { connect } from '../src/redis/connect.ts';

const FOLDER = '.stalesweep';
const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 4_000;
/** How long a server that was told to end may take. */
const GONE_MS = 1_000;

export interface PrivateRedis {
  readonly url: string;
  /** Ends it, unless another process that runs started it. */
  close(): Promise<void>;
}

interface Record {
  readonly url: string;
  readonly owner: number;
}

const recordFile = (folder: string): string => join(folder, 'redis.json');

/** Where the private Redis of this folder is, and which process is to end it; `null` when none was left running. */
const readRecord = (folder: string): Record | null => {
  try {
    const { url, owner } = JSON.parse(readFileSync(recordFile(folder), 'utf8')) as Partial<Record>;
    return typeof url === 'string' && typeof owner === 'number' ? { url, owner } : null;
  } catch {
    return null;
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Ends the server, which writes a snapshot first, and waits until it is gone. One that can't, on a disk that is full or
 * read-only, or that hangs, is killed: nobody would know of it. */
const shutDown = async (url: string, folder: string, child?: number): Promise<void> => {
  try {
    rmSync(recordFile(folder), { force: true });
  } catch {
    // A record without a server does no harm.
  }
  let pid = child;
  try {
    const redis = await connect(url, { redis: { commandTimeout: STOP_TIMEOUT_MS, retryStrategy: () => null } });
    pid ??= Number(/^process_id:(\d+)/m.exec(await redis.info('server'))?.[1]) || undefined;
    // It answers by closing the connection; or says why it can't.
    await redis.shutdown('SAVE').catch(() => {});
    // On a connection that has ended already it would wait two seconds for the end.
    if (redis.status !== 'end') redis.disconnect();
  } catch {
    // It does not answer.
  }
  for (const until = Date.now() + GONE_MS; pid !== undefined && isAlive(pid); await pause(20)) {
    if (Date.now() < until) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
    return;
  }
};

/** This process ends the server when it ends. */
const owned = async (url: string, folder: string, child?: number): Promise<PrivateRedis> => {
  try {
    writeFileSync(recordFile(folder), JSON.stringify({ url, owner: process.pid }));
  } catch (error) {
    await shutDown(url, folder, child);
    throw unwritable(folder, error);
  }
  return { url, close: async () => await shutDown(url, folder, child) };
};

const unwritable = (folder: string, cause: unknown): Failure => {
  const { code } = cause as NodeJS.ErrnoException;
  const sentence = `${resolve(folder)} can't be written to (${code}), where the private Redis keeps its data; free space there, or set REDIS_URL`;
  return new Failure('UNREACHABLE', sentence, { cause });
};

/** Whether the server at this address is the one that keeps its data in this folder, and not somebody else's. */
const isOurs = async (url: string, folder: string): Promise<boolean> => {
  try {
    const redis = await connect(url);
    const [, dir] = (await redis.config('GET', 'dir')) as string[];
    redis.disconnect();
    return dir === resolve(folder);
  } catch {
    return false;
  }
};

const waitUntilReady = async (url: string, folder: string, hasExited: () => boolean): Promise<void> => {
  for (const deadline = Date.now() + START_TIMEOUT_MS; Date.now() < deadline && !hasExited(); ) {
    if (await isOurs(url, folder)) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Failure('UNREACHABLE', `the private redis-server did not start; ${resolve(FOLDER, 'redis.log')} says why`);
};

/**
 * Starts the private Redis, or joins the one that already runs in this folder. Its data is kept from one start to the
 * next. Fails (`UNREACHABLE`) when no redis-server is installed.
 */
export const startPrivateRedis = async (folder = FOLDER): Promise<PrivateRedis> => {
  const running = readRecord(folder);
  if (running !== null && (await isOurs(running.url, folder))) {
    // Whose owner was killed passes to this process.
    return isAlive(running.owner) ? { url: running.url, close: async () => {} } : await owned(running.url, folder);
  }

  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw unwritable(folder, error);
  }
  const { default: getPort } = await import('get-port');
  const port = await getPort({ host: '127.0.0.1' });
  const url = `redis://127.0.0.1:${port}`;
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: resolve(folder),
    logfile: 'redis.log',
    loglevel: 'notice',
    // Snapshots, not an append-only file: with one, a server is taken to have come back with old data (P10).
    save: '60 1',
    appendonly: 'no',
    'maxmemory-policy': 'noeviction',
  };
  // A group of its own: Ctrl-C ends this process in order, which then ends Redis.
  const child = spawn(
    'redis-server',
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    {
      detached: true,
      stdio: 'ignore',
    },
  );
  let exited = false;
  child.once('exit', () => {
    exited = true;
  });
  const missing = new Promise<never>((_, reject) => {
    child.once('error', (cause) => {
      const sentence = 'no redis-server was found; install one, or set REDIS_URL to a Redis that may be cleaned';
      reject(new Failure('UNREACHABLE', sentence, { cause }));
    });
  });
  await Promise.race([missing, waitUntilReady(url, folder, () => exited)]);
  missing.catch(() => {});
  child.unref();
  return await owned(url, folder, child.pid);
};

/** The address of the private Redis that runs in this folder; `null` when there is none. */
export const privateRedisUrl = async (folder = FOLDER): Promise<string | null> => {
  const url = readRecord(folder)?.url;
  return url !== undefined && (await isOurs(url, folder)) ? url : null;
};
