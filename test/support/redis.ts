/** redis: a private redis-server for one test file, which ends with it, however it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { Redis } from 'ioredis';

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** The fixture's own connection; the only one that may be open after a test. */
  readonly redis: Redis;
  /** Kills the server. Its folder goes too, unless `--dir` named another one. */
  stop(): Promise<void>;
}

/** The pipe to its stdin closes when this process dies, even by SIGKILL; then the shell kills the server. */
const WATCHDOG = 'redis-server "$@" & server=$!; read -r _; kill -9 $server; wait $server';
const START_TIMEOUT_MS = 30_000;
const ATTEMPTS = 5;

const kill = async (shell: ChildProcess): Promise<void> => {
  const gone = once(shell, 'exit');
  shell.stdin?.end();
  await gone;
};

/** A connection to the server that logs to `logfile`; `null` when that server never answered. */
const reach = async (port: number, logfile: string): Promise<Redis | null> => {
  const redis = new Redis({
    port,
    host: '127.0.0.1',
    connectionName: 'fixture',
    maxRetriesPerRequest: null,
    retryStrategy: () => 20,
  });
  redis.on('error', () => {});
  const deadline = AbortSignal.timeout(START_TIMEOUT_MS);
  const late = once(deadline, 'abort').then(() => null);
  for (;;) {
    try {
      const reply = await Promise.race([redis.call('CONFIG', 'GET', 'logfile'), late]);
      // Another file's server may have taken the port between the choice and the start.
      if (Array.isArray(reply) && reply[1] === logfile) return redis;
      break;
    } catch (error) {
      if (!String(error).includes('LOADING')) break;
    }
  }
  redis.disconnect();
  return null;
};

/** Starts a redis-server on a free port, or this one, without snapshots; resolves once it answers. Later `args` win. */
export const startRedis = async (args: readonly string[] = [], at?: number): Promise<TestRedis> => {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const folder = mkdtempSync(join(tmpdir(), 'stalesweep-test-'));
    const port = at ?? (await getPort({ host: '127.0.0.1' }));
    const logfile = join(folder, 'redis.log');
    const own = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--logfile', logfile, '--save', ''];
    const shell = spawn('sh', ['-c', WATCHDOG, 'redis-server', ...own, ...args], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const redis = await reach(port, logfile);
    if (redis !== null) {
      return {
        url: `redis://127.0.0.1:${port}`,
        port,
        redis,
        stop: async () => {
          redis.disconnect();
          await kill(shell);
          rmSync(folder, { recursive: true, force: true });
        },
      };
    }
    await kill(shell);
    rmSync(folder, { recursive: true, force: true });
  }
  throw new Error('redis-server did not start; is it installed?');
};
