/** privateRedis: a redis-server of the demo's own, on loopback. It keeps its data in memory, and a record and its log under
 * `.stalesweep/`, which goes when it ends. Whatever ends the process that started it ends the server, too. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DEMO_FOLDER, demoRecordIn } from '../../src/config/demo.ts';
import { Failure } from '../../src/domain/failure.ts';
import { connect } from '../../src/redis/connection/connect.ts';

const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 4_000;
/** How long a server that was told to end may take. */
const GONE_MS = 1_000;

export interface PrivateRedis {
  readonly url: string;
  /** Ends it. */
  close(): Promise<void>;
}

interface Record {
  readonly url: string;
  readonly owner: number;
}

const LOG = 'redis.log';

/**
 * Becomes the server, so that its process is the child itself. Standard input is a pipe whose other end only this process holds. It
 * closes however this one ends, by SIGKILL too: then the server is killed. A line in it says that the server has ended already.
 */
const SERVER_WHILE_OPEN = 'exec 3<&0; (read -r _ <&3 || kill -9 $$) & exec redis-server "$@" </dev/null 3<&-';
/** What a shell ends with that finds no such command. */
const NOT_FOUND = 127;

/** Where the private Redis of this folder is, and which process is to end it; `null` when none was left running. */
function readRecord(folder: string): Record | null {
  try {
    const { url, owner } = JSON.parse(readFileSync(demoRecordIn(folder), 'utf8')) as Partial<Record>;
    return typeof url === 'string' && typeof owner === 'number' ? { url, owner } : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** What this file put there; the folder too, unless somebody else put something in. */
function tidyUp(folder: string): void {
  try {
    for (const file of [demoRecordIn(folder), join(folder, LOG)]) rmSync(file, { force: true });
    rmdirSync(folder);
  } catch {
    // A record without a server does no harm.
  }
}

/** Ends the server and waits until it is gone; one that hangs is killed, since nobody would know of it. Then tidies up. */
async function shutDown(url: string, folder: string, child?: ChildProcess): Promise<void> {
  let pid = child?.pid;
  try {
    const redis = await connect(url, { redis: { commandTimeout: STOP_TIMEOUT_MS, retryStrategy: () => null } });
    pid ??= Number(/^process_id:(\d+)/m.exec(await redis.info('server'))?.[1]) || undefined;
    // It answers by closing the connection; or says why it can't.
    await redis.shutdown('NOSAVE').catch(() => {});
    // On a connection that has ended already it would wait two seconds for the end.
    if (redis.status !== 'end') redis.disconnect();
  } catch {
    // It does not answer.
  }
  for (const until = Date.now() + GONE_MS; pid !== undefined && isAlive(pid); await pause(20)) {
    if (Date.now() < until) continue;
    kill(pid);
    break;
  }
  tidyUp(folder);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** This process ends the server when it ends; in order, or, where a second signal or a hang leaves no time for that, at once. */
async function owned(url: string, folder: string, child: ChildProcess): Promise<PrivateRedis> {
  const atOnce = () => {
    child.kill('SIGKILL');
    tidyUp(folder);
  };
  process.once('exit', atOnce);
  try {
    writeFileSync(demoRecordIn(folder), JSON.stringify({ url, owner: process.pid }));
  } catch (error) {
    await shutDown(url, folder, child);
    process.off('exit', atOnce);
    throw unwritable(folder, error);
  }
  return {
    url,
    close: async () => {
      await shutDown(url, folder, child);
      process.off('exit', atOnce);
    },
  };
}

function unwritable(folder: string, cause: unknown): Failure {
  const { code } = cause as NodeJS.ErrnoException;
  const sentence = `${resolve(folder)} can't be written to (${code}), where the private Redis keeps its log; make room there, start in another folder, or set REDIS_URL`;
  return new Failure('UNREACHABLE', sentence, { cause });
}

/** Whether the server at this address is the one that keeps its data in this folder, and not somebody else's. */
async function isOurs(url: string, folder: string): Promise<boolean> {
  try {
    const redis = await connect(url);
    const [, dir] = (await redis.config('GET', 'dir')) as string[];
    redis.disconnect();
    return dir === resolve(folder);
  } catch {
    return false;
  }
}

async function waitUntilReady(url: string, folder: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (; Date.now() < deadline && child.exitCode === null; await pause(50)) if (await isOurs(url, folder)) return;
  if (child.exitCode === NOT_FOUND) {
    tidyUp(folder);
    throw new Failure(
      'UNREACHABLE',
      'no redis-server was found; install one, or set REDIS_URL to a Redis that may be cleaned',
    );
  }
  throw new Failure('UNREACHABLE', `the private redis-server did not start; ${resolve(folder, LOG)} says why`);
}

/**
 * Starts the private Redis, empty. Fails (`UNREACHABLE`) when no redis-server is installed, (`USAGE`) when one is in use here.
 */
export async function startPrivateRedis(folder = DEMO_FOLDER): Promise<PrivateRedis> {
  const running = readRecord(folder);
  if (running !== null && (await isOurs(running.url, folder))) {
    const sentence = `a demo already runs in this folder (process ${running.owner}); end it, or start this one in another folder`;
    if (isAlive(running.owner)) throw new Failure('USAGE', sentence);
    // It is about to end, as its owner did.
    await shutDown(running.url, folder);
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
    logfile: LOG,
    loglevel: 'notice',
    // What an earlier version may have left there under the usual name is not read.
    dbfilename: 'none.rdb',
    save: '',
    appendonly: 'no',
    'maxmemory-policy': 'noeviction',
  };
  // A group of its own: Ctrl-C ends this process in order, which then ends Redis.
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn('sh', ['-c', SERVER_WHILE_OPEN, 'sh', ...args], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.once('exit', () => child.stdin.end('\n'));
  child.stdin.on('error', () => {});
  const atOnce = () => child.kill('SIGKILL');
  process.once('exit', atOnce);
  await waitUntilReady(url, folder, child);
  process.off('exit', atOnce);
  child.unref();
  return await owned(url, folder, child);
}

/** The address of the private Redis that runs in this folder; `null` when there is none. */
export async function privateRedisUrl(folder = DEMO_FOLDER): Promise<string | null> {
  const url = readRecord(folder)?.url;
  return url !== undefined && (await isOurs(url, folder)) ? url : null;
}
