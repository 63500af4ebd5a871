/** options: what callers may say of a run, and what it comes to: the settings of one target, validated as a configuration file is. */
import { type QueueConfig, resolveConfig, type TargetConfig } from '../config/resolve.ts';
import type { LedgerSettings } from '../ledger/ledger.ts';
import { parseSetting } from '../config/complaint.ts';
import { text } from '../config/values/values.ts';
import { asJson } from './arguments.ts';
import { addressOf, type RedisClient } from './client.ts';
import { definitionOf, type Schema } from './schema.ts';

/** A duration with its unit: `"10m"`, `"90s"`, `"2ms"`. */
export type Duration = string;

/** Which Redis, which things in it, and how carefully. */
export interface TargetOptions {
  /**
   * The Redis that is cleaned: a URL, or an ioredis client of one's own. A client tells the address, user, password, TLS and database; a run
   * opens connections of its own there, so that nothing of the caller's waits behind it, and closes those alone.
   */
  readonly redis: string | RedisClient;
  /** What reports and the ledger call it. @default 'default' */
  readonly target?: string;
  /** The name of a schema that ships, or one of `defineSchema`. @default 'swarm' */
  readonly schema?: string | Schema;
  /** A coordinator is stale after this silence, by Redis' clock. @default '10m' */
  readonly staleAfter?: Duration;
  /** The least `staleAfter` that is accepted. @default '60s' */
  readonly minStaleAfter?: Duration;
  /** With `observe` every run is a dry run. @default 'sweep' */
  readonly mode?: 'sweep' | 'observe';
  /** When more coordinators look stale, the run ends `refused` and removes nothing. Left out: off. */
  readonly maxStale?: number;
  /** When a larger share looks stale, and at least 10, the run ends `refused` and removes nothing. 1 is off. @default 1 */
  readonly maxStaleFraction?: number;
  /** When many fall silent at once they are held, until they have been silent for twice `staleAfter`. @default { fraction: 0.5, from: 20 } */
  readonly suddenSilence?: { readonly fraction?: number; readonly from?: number } | false;
  /** Ids that are never swept; `*` stands for anything. @default [] */
  readonly protect?: readonly string[];
  /** Families whose things go even without any heartbeat, once idle for longer than `staleAfter`. @default [] */
  readonly orphans?: readonly string[];
  /** Whether silence counts from the return of a Redis that came back with old data. @default true */
  readonly restartGrace?: boolean;
  /** How long one call may keep Redis busy. @default '2ms' */
  readonly callBudget?: Duration;
  /** How long to rest after each call, in lengths of that call. @default 0 */
  readonly nice?: number;
  /** How much memory a run may take for what it finds. @default '320MB' */
  readonly memoryBudget?: string;
  /** How long what is swept can be restored; 0s is off. @default '0s' */
  readonly trash?: Duration;
  /** Where it is said who was swept, in the same step. @default false */
  readonly announce?: { readonly channel: string } | { readonly stream: string; readonly maxLength?: number } | false;
  /** How much room what was seen of living coordinators may take in the ledger's Redis. @default '32MB' */
  readonly sightings?: string;
  /**
   * Where runs are recorded, and where they learn what earlier ones saw: by default the Redis that is cleaned, as with the command
   * `run`. `false`: nothing is recorded; who has no heartbeat any more is nobody's, and nobody is held.
   */
  readonly ledger?: LedgerOptions | false;
}

export interface LedgerOptions {
  /** A URL or a client; left out: the Redis that is cleaned. */
  readonly redis?: string | RedisClient;
  /** What its keys begin with. @default '{stalesweep}' */
  readonly prefix?: string;
  /** How long runs are kept. @default '90d' */
  readonly age?: Duration;
  /** How much room they may take. @default '64MB' */
  readonly size?: string;
  /** With `keys` the names of what went, too. @default 'ids' */
  readonly detail?: 'ids' | 'keys';
}

/** A target as a run takes it. @internal */
export interface Resolved {
  readonly target: TargetConfig;
  /** Where the ledger is; `null`: nowhere. */
  readonly queue: QueueConfig | null;
  readonly ledger: LedgerSettings;
}

/** Settings that mean the same as in a configuration file: there is no schedule here, and no environment. @internal */
export function resolve(options: TargetOptions): Resolved {
  const { redis, target = 'default', schema, ledger, ...settings } = options;
  const name = parseSetting(text('the name of a target'), target, 'target');
  const address = addressOf(redis, 'redis');
  const { redis: ledgerRedis, prefix, ...kept } = ledger === false ? {} : (ledger ?? {});
  const ledgerAddress = ledgerRedis === undefined ? address : addressOf(ledgerRedis, 'ledger.redis');
  const own = typeof schema === 'object' && schema !== null ? schema : undefined;
  const config = resolveConfig(
    {},
    {},
    {
      name: 'options',
      // What JSON can say, YAML reads alike.
      text: JSON.stringify(
        {
          ...settings,
          ...(schema === undefined ? {} : { schema: own?.name ?? schema }),
          ...(own === undefined ? {} : { schemas: { [own.name]: definitionOf(own).input } }),
          ledger: kept,
          queue: { url: ledgerAddress.url, ...(prefix === undefined ? {} : { prefix }) },
          targets: { [name]: { url: address.url } },
        },
        asJson,
      ),
    },
  );
  const resolved = config.targets.get(name);
  if (resolved === undefined) throw new TypeError('a target that is named is there');
  const { url: _ledgerUrl, ...ledgerWay } = ledgerAddress;
  const { url: _url, ...way } = address;
  return {
    target: { ...resolved, ...way },
    queue: ledger === false ? null : { ...config.queue, ...ledgerWay },
    ledger: config.process.ledger,
  };
}
