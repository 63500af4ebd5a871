/** privateRedis: a redis-server of our own, for a first look without one: on loopback, its data under `.stalesweep/`. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import getPort from 'get-port';
import { Failure } from '../src/domain/failure.ts';
import { connect } from '../src/redis/connect.ts';

const FOLDER = '.stalesweep';
const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 10_000;

export interface PrivateRedis {
  readonly url: string;
  /** Whether this process started it; another one's is left running. */
  readonly own: boolean;
  close(): Promise<void>;
}

const urlFile = (folder: string): string => join(folder, 'redis.url');

/** The address of a private Redis that was started in this folder and may still run; `null` when there is none. */
export const privateRedisUrl = (folder = FOLDER): string | null => {
  try {
    return readFileSync(urlFile(folder), 'utf8').trim() || null;
  } catch {
    return null;
  }
};

const answers = async (url: string): Promise<boolean> => {
  try {
    (await connect(url)).disconnect();
    return true;
  } catch {
    return false;
  }
};

const waitUntilReady = async (url: string, hasExited: () => boolean): Promise<void> => {
  for (const deadline = Date.now() + START_TIMEOUT_MS; Date.now() < deadline && !hasExited(); ) {
    if (await answers(url)) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Failure('UNREACHABLE', `the private redis-server did not start; ${resolve(FOLDER, 'redis.log')} says why`);
};

/**
 * Starts the private Redis, or joins the one that already runs in this folder. Its data is kept from one start to the
 * next. Fails (`UNREACHABLE`) when no redis-server is installed.
 */
export const startPrivateRedis = async (folder = FOLDER): Promise<PrivateRedis> => {
  const running = privateRedisUrl(folder);
  if (running !== null && (await answers(running))) return { url: running, own: false, close: async () => {} };

  mkdirSync(folder, { recursive: true });
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
  const gone = new Promise<void>((done) => {
    child.once('exit', () => {
      exited = true;
      done();
    });
  });
  const missing = new Promise<never>((_, reject) => {
    child.once('error', (cause) => {
      const sentence = 'no redis-server was found; install one, or set REDIS_URL to a Redis that may be cleaned';
      reject(new Failure('UNREACHABLE', sentence, { cause }));
    });
  });
  await Promise.race([missing, waitUntilReady(url, () => exited)]);
  missing.catch(() => {});
  child.unref();
  writeFileSync(urlFile(folder), `${url}\n`);

  return {
    url,
    own: true,
    close: async () => {
      rmSync(urlFile(folder), { force: true });
      // Nothing else may be left that keeps this process waiting for it.
      child.ref();
      // SIGTERM makes it write a snapshot first.
      child.kill('SIGTERM');
      const timeout = AbortSignal.timeout(STOP_TIMEOUT_MS);
      await Promise.race([gone, new Promise((done) => timeout.addEventListener('abort', done))]);
    },
  };
};
