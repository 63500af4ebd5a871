/** sentinelServers: what Sentinels are made of: the servers that hold the keys, and the sentinels that watch them, one process each. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { Redis } from 'ioredis';
import { startRedis, type TestRedis } from './redis.ts';
import { startServerProcess } from './serverProcess.ts';
import type { serverFiles } from './tls.ts';

/** Of the primary, as the sentinels know it. */
export const NAME = 'mymaster';
const QUORUM = 2;
/** As long as nothing else hurries: a machine under load must not look like a dead server. */
const DOWN_AFTER_MS = 3_000;

/** A sentinel. */
export interface Watcher {
  readonly port: number;
  readonly redis: Redis;
  stop(): Promise<void>;
}

export interface SentinelOptions {
  /** What clients of the servers that hold the keys, and of the sentinels, have to say; not asked for where it is missing. */
  readonly password?: string;
  readonly sentinelPassword?: string;
  /** Whose passwords these are, and then nobody else enters; left out: everybody's. */
  readonly user?: string;
  readonly sentinelUser?: string;
  /** The files of encrypted ports, the only ones of which sentinels and replicas know; left out: plain ones. */
  readonly tls?: ReturnType<typeof serverFiles>;
}

/** A server that holds the keys. */
export interface Member extends TestRedis {
  /** The port by which sentinels and replicas know it. */
  readonly known: number;
}

const BY_TLS = ['--tls-replication', 'yes', '--tls-auth-clients', 'no'];

/** Starts a server, or a replica of another, at free ports or at those that one had. */
export async function startMember(options: SentinelOptions, of?: Member, was?: Member): Promise<Member> {
  const { tls, user, password } = options;
  const encrypted = tls && (was?.known ?? (await getPort({ host: '127.0.0.1' })));
  const server = await startRedis(
    [
      ...(tls === undefined ? [] : ['--tls-port', `${encrypted}`, ...BY_TLS, ...tls.args]),
      ...(of === undefined ? [] : ['--replicaof', '127.0.0.1', `${of.known}`, '--repl-diskless-sync-delay', '0']),
      ...(user === undefined ? [] : ['--masteruser', user]),
      ...(password === undefined ? [] : ['--masterauth', password]),
    ],
    was?.port,
  );
  const { redis } = server;
  if (user !== undefined) {
    await redis.call('ACL', 'SETUSER', user, 'on', `>${password}`, '~*', '&*', '+@all');
    await redis.call('ACL', 'SETUSER', 'default', 'off');
  } else if (password !== undefined) {
    await redis.config('SET', 'requirepass', password);
  }
  // Its own connection comes back as well.
  Object.assign(redis.options, { username: user, password });
  return { ...server, known: encrypted ?? server.port };
}

/** Arguments, of one value each, as the lines of a file. */
function linesOf(args: readonly string[]): string[] {
  return args.flatMap((arg, i) => (i % 2 === 0 ? [`${arg.slice(2)} ${args[i + 1]}`] : []));
}

/** Whom a sentinel lets in, and as whom it enters at the others: what they ask of clients they ask of each other. */
function entryLines({ sentinelUser: user, sentinelPassword: password }: SentinelOptions): readonly string[] {
  if (password === undefined) return [];
  if (user === undefined) return [`requirepass ${password}`];
  return [
    'user default off',
    `user ${user} on >${password} &* +@all`,
    `sentinel sentinel-user ${user}`,
    `sentinel sentinel-pass ${password}`,
  ];
}

/** Starts a sentinel of the primary with this port. */
export async function startWatcher(primary: number, options: SentinelOptions): Promise<Watcher> {
  const { user, password, sentinelUser, sentinelPassword, tls } = options;
  const folder = mkdtempSync(join(tmpdir(), 'stalesweep-sentinel-'));
  const port = await getPort({ host: '127.0.0.1' });
  const file = join(folder, 'sentinel.conf');
  const logfile = join(folder, 'sentinel.log');
  const lines = [
    ...(tls === undefined ? [`port ${port}`] : ['port 0', `tls-port ${port}`, ...linesOf([...BY_TLS, ...tls.args])]),
    'bind 127.0.0.1',
    `dir ${folder}`,
    `logfile ${logfile}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${primary} ${QUORUM}`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${NAME} 5000`,
    ...(password === undefined ? [] : [`sentinel auth-pass ${NAME} ${password}`]),
    ...(user === undefined ? [] : [`sentinel auth-user ${NAME} ${user}`]),
    ...entryLines(options),
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const server = startServerProcess([file, '--sentinel'], logfile);
  const redis = new Redis({
    port,
    host: '127.0.0.1',
    ...(sentinelUser === undefined ? {} : { username: sentinelUser }),
    ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
    ...(tls === undefined ? {} : { tls: { ca: readFileSync(tls.ca, 'utf8') } }),
    enableReadyCheck: false,
    maxRetriesPerRequest: null,
    retryStrategy: () => 20,
  });
  redis.on('error', () => {});
  return {
    port,
    redis,
    stop: async () => {
      redis.disconnect();
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
