/** client: an ioredis client of the caller's own, and where it leads. */
import { parseSetting } from '../config/complaint.ts';
import { Misfit } from '../config/values/shape.ts';
import type { Address, Tls } from '../config/values/tls.ts';
import { redisUrl } from '../config/values/values.ts';

/**
 * A client of `ioredis` 5 or newer, connected to one server, directly or through Sentinel. It is never closed here, nor are its
 * listeners or options touched. Its database is the one that it has selected by then: await a `select` of your own first.
 */
export interface RedisClient {
  readonly options: object;
  call(command: string, ...args: (string | number | Buffer)[]): Promise<unknown>;
}

interface ClientOptions {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string | null;
  readonly family?: number;
  readonly username?: string | null;
  readonly password?: string | null;
  readonly db?: number;
  readonly tls?: object | null;
  readonly keyPrefix?: string;
  readonly name?: string | null;
  readonly sentinels?: readonly { readonly host?: string; readonly port?: number }[] | null;
  readonly sentinelUsername?: string | null;
  readonly sentinelPassword?: string | null;
  readonly Connector?: unknown;
}

/** What the library keeps of a connection beside its options; `null` before the first. */
interface Kept {
  readonly condition?: { readonly select?: unknown } | null;
  /** What it was before the connection was lost, until another one is ready. */
  readonly prevCondition?: Kept['condition'];
}

const USUAL_PORT = 6379;
const SENTINEL_PORT = 26_379;

function hostOf(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** User and password as they stand in a URL. */
function credentials({ username, password }: ClientOptions): string {
  if (!password) return '';
  return `${encodeURIComponent(username ?? '')}:${encodeURIComponent(password)}@`;
}

/** The database in use: `select` changes it after the options were given. */
function databaseOf({ condition, prevCondition }: Kept, { db = 0 }: ClientOptions): number {
  const selected = (prevCondition ?? condition)?.select;
  return typeof selected === 'number' ? selected : db;
}

function urlOf(options: ClientOptions, db: number): string {
  const { path, sentinels, host = 'localhost', port = USUAL_PORT, family } = options;
  const secure = options.tls ? 's' : '';
  const user = credentials(options);
  if (path) return `unix://${user}${encodeURI(path)}?db=${db}`;
  if (sentinels) {
    const all = sentinels.map((one) => hostOf(one.host ?? 'localhost', one.port ?? SENTINEL_PORT)).join(',');
    return `redis${secure}+sentinel://${user}${all}/${encodeURIComponent(options.name ?? '')}?db=${db}`;
  }
  const way = family === 4 || family === 6 ? `?family=${family}` : '';
  return `redis${secure}://${user}${hostOf(host, port)}/${db}${way}`;
}

/** Whether this is a client, and not a URL. @internal */
export function isClient(redis: unknown): redis is RedisClient {
  return typeof redis === 'object' && redis !== null && 'options' in redis && 'call' in redis;
}

/**
 * Where a URL, or a client, leads, for connections of our own. Fails (`CONFIG`) with one sentence, without secrets, when it is
 * neither, or a client that writes other names than a schema says.
 * @param setting what the sentence calls it
 * @internal
 */
export function addressOf(redis: unknown, setting: string): Address {
  if (!isClient(redis)) return { url: parseSetting(redisUrl, redis, setting) };
  const options: ClientOptions = redis.options;
  const url = parseSetting(() => urlIn(redis, options), redis, setting);
  const { tls, sentinelUsername: user, sentinelPassword: password } = options;
  return {
    url,
    ...(tls ? { tls: tls as Tls } : {}),
    ...(options.sentinels && password ? { sentinel: { ...(user ? { user } : {}), password } } : {}),
  };
}

function urlIn(redis: RedisClient, options: ClientOptions): string {
  if ('isCluster' in redis && redis.isCluster === true) {
    throw new Misfit('is a client of a cluster; give the address of the cluster instead');
  }
  if (options.keyPrefix) throw new Misfit('has a keyPrefix; the names in a schema are whole, so use a client without');
  if (options.Connector) throw new Misfit('finds its way by a Connector of its own; give an address that leads there');
  return redisUrl(urlOf(options, databaseOf(redis as Kept, options)));
}
