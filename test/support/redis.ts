/** redis: a private redis-server for one test file, which ends with it, however it ends. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { Redis } from 'ioredis';
import { type ServerProcess, startServerProcess } from './serverProcess.ts';

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** The fixture's own connection; the only one that may be open after a test. */
  readonly redis: Redis;
  /** Kills the server. Its folder goes too, unless `--dir` named another one. */
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;
const ATTEMPTS = 5;
/** What a server says that finds its port taken, before it ends. */
const PORT_TAKEN = /Address already in use/;

/** A connection to the server that logs to `logfile`; `null` once that has ended, or when it never answers. */
async function reach(port: number, logfile: string, { ended }: ServerProcess): Promise<Redis | null> {
  const redis = new Redis({
    port,
    host: '127.0.0.1',
    connectionName: 'fixture',
    maxRetriesPerRequest: null,
    retryStrategy: () => 20,
  });
  redis.on('error', () => {});
  const deadline = AbortSignal.timeout(START_TIMEOUT_MS);
  const none = Promise.race([once(deadline, 'abort'), ended]).then(() => null);
  for (;;) {
    try {
      const reply = await Promise.race([redis.call('CONFIG', 'GET', 'logfile'), none]);
      if (Array.isArray(reply) && reply[1] === logfile) return redis;
      // Where another one answers, this one finds its port taken, and says so before it ends.
      await none;
      break;
    } catch (error) {
      if (!String(error).includes('LOADING')) break;
    }
  }
  redis.disconnect();
  return null;
}

/**
 * Starts a redis-server on a free port, or this one, without snapshots; resolves once it answers. Later `args` win. Fails at once,
 * with what the server said, when it ends instead of answering.
 */
export async function startRedis(args: readonly string[] = [], at?: number): Promise<TestRedis> {
  let said = '';
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const folder = mkdtempSync(join(tmpdir(), 'stalesweep-test-'));
    const port = at ?? (await getPort({ host: '127.0.0.1' }));
    const logfile = join(folder, 'redis.log');
    const own = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--logfile', logfile, '--save', ''];
    const server = startServerProcess([...own, ...args], logfile);
    const redis = await reach(port, logfile, server);
    if (redis !== null) {
      return {
        url: `redis://127.0.0.1:${port}`,
        port,
        redis,
        stop: async () => {
          // Else it would pass for ready as long as this process has not heard of its end.
          const closed = redis.status === 'ready' ? new Promise((resolve) => redis.once('close', resolve)) : null;
          redis.disconnect();
          await server.kill();
          await closed;
          rmSync(folder, { recursive: true, force: true });
        },
      };
    }
    await server.kill();
    said = await server.ended;
    rmSync(folder, { recursive: true, force: true });
    // Another file's server may have taken the port between the choice and the start.
    if (!PORT_TAKEN.test(said)) break;
  }
  throw new Error(`redis-server did not start: ${said}`);
}
