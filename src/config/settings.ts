/** settings: every setting once, with its default, its environment variable and what it does. The documentation, the
 * validation and the command line all read this table. */
import { QUEUE_PREFIX } from '../domain/ownKeys.ts';
import { fields, named, type Value } from './shape.ts';
import {
  cron,
  duration,
  history,
  ledger,
  keyPrefix,
  memory,
  names,
  number,
  oneOf,
  patterns,
  redisUrl,
  schemaDefinition,
  secret,
  suddenSilence,
  text,
  timeZone,
  truth,
} from './values.ts';

interface Setting {
  readonly schema: Value<unknown>;
  readonly env?: string;
  /** As a user would write it; absent: unset. */
  readonly default?: unknown;
  readonly about: string;
}

/** What each target may set for itself; at the top of the file it is everyone's default. */
export const TARGET_SETTINGS = {
  staleAfter: {
    schema: duration(1000),
    env: 'STALESWEEP_STALE_AFTER',
    default: '10m',
    about:
      'A coordinator is stale after this silence. Below three heartbeat intervals, a slow coordinator is taken for a stale one.',
  },
  minStaleAfter: {
    schema: duration(1000),
    env: 'STALESWEEP_MIN_STALE_AFTER',
    default: '60s',
    about: 'The least `staleAfter` a run may ask for; a run asking for less fails.',
  },
  mode: {
    schema: oneOf('sweep', 'observe'),
    env: 'STALESWEEP_MODE',
    default: 'sweep',
    about: 'With `observe` every run is a dry run, whoever asks.',
  },
  maxStale: {
    schema: number(0, 1_000_000_000, true),
    env: 'STALESWEEP_MAX_STALE',
    about:
      'When more coordinators look stale, those of whom there are only orphans included, the run is refused and removes nothing. Unset: off.',
  },
  maxStaleFraction: {
    schema: number(0, 1, false),
    env: 'STALESWEEP_MAX_STALE_FRACTION',
    default: 1,
    about:
      'When a larger share of the coordinators looks stale, and at least 10, the run is refused and removes nothing. 1 is off.',
  },
  suddenSilence: {
    schema: suddenSilence,
    env: 'STALESWEEP_SUDDEN_SILENCE',
    default: { fraction: 0.5, from: 20 },
    about:
      'When fewer than `fraction` of the coordinators of the last completed run are active, and at least `from` fewer, the stale ones are held: kept until they have been silent for twice `staleAfter`. `false` switches it off.',
  },
  protect: {
    schema: patterns,
    env: 'STALESWEEP_PROTECT',
    default: [],
    about: 'Ids that are never swept, such as [c42, "leader-*"]; `*` stands for anything.',
  },
  every: {
    schema: duration(1000),
    env: 'STALESWEEP_EVERY',
    default: '5m',
    about: 'The interval between scheduled runs.',
  },
  cron: {
    schema: cron,
    env: 'STALESWEEP_CRON',
    about: 'A cron pattern, instead of `every`.',
  },
  tz: { schema: timeZone, about: "The time zone of `cron`. Without one, the worker's own." },
  schema: {
    schema: text('the name of a schema'),
    env: 'STALESWEEP_SCHEMA',
    default: 'swarm',
    about: 'The key schema: `swarm`, `flat`, or one defined under `schemas`.',
  },
  orphans: {
    schema: names,
    default: [],
    about: 'Families whose keys are swept even without any heartbeat, once idle for longer than `staleAfter`.',
  },
  restartGrace: {
    schema: truth,
    env: 'STALESWEEP_RESTART_GRACE',
    default: true,
    about: 'Whether silence counts from the return of a Redis that came back with old data.',
  },
  callBudget: {
    schema: duration(0.1),
    env: 'STALESWEEP_CALL_BUDGET',
    default: '2ms',
    about: 'How long one call may keep Redis busy; chunks and pages adapt to it.',
  },
  nice: {
    schema: number(0, 100, false),
    env: 'STALESWEEP_NICE',
    default: 0,
    about: 'How long to rest after each call, in lengths of that call: 1 gives half the time away.',
  },
  memoryBudget: {
    schema: memory('16MB', '2GB'),
    env: 'STALESWEEP_MEMORY_BUDGET',
    default: '280MB',
    about:
      'How much memory a run may take for what it finds: enough for about 750,000 stale coordinators with six keys each. Beyond, it walks the keyspace a second time for their keys; beyond twice as many, in partitions.',
  },
  sightings: {
    schema: memory('1MB', '1GB'),
    default: '32MB',
    about:
      "How much room what was seen of living coordinators may take in the queue's Redis: enough for about five million with ids such as `team-7:coordinator-7`. Beyond, the rest are as if never seen. Twice that while it is written anew.",
  },
  history: {
    schema: history,
    default: {},
    about: 'How long finished runs stay in the history, by `age` and `count`, for `completed` and `failed` ones.',
  },
} as const satisfies Record<string, Setting>;

/** What only a single target can have. */
export const OWN_TARGET_SETTINGS = {
  id: {
    schema: text('a name'),
    about:
      'What the target is known by to others on the queue, instead of its address: for where that differs between machines.',
  },
} as const satisfies Record<string, Setting>;

/** What a process sets for itself. */
export const PROCESS_SETTINGS = {
  tlsCa: {
    schema: text('a file name'),
    env: 'STALESWEEP_TLS_CA',
    about:
      'A PEM file with the authorities whose certificates are accepted from `rediss://` addresses, instead of the usual ones.',
  },
  tlsCert: {
    schema: text('a file name'),
    env: 'STALESWEEP_TLS_CERT',
    about: 'A PEM file with the certificate shown to `rediss://` addresses that ask for one.',
  },
  tlsKey: {
    schema: text('a file name'),
    env: 'STALESWEEP_TLS_KEY',
    about: 'A PEM file with the private key of `tlsCert`.',
  },
  ledger: {
    schema: ledger,
    default: { age: '90d', size: '64MB' },
    about:
      "How long the record of runs and of all that was swept is kept, and how much room it may take in the queue's Redis; the oldest goes first.",
  },
  concurrency: {
    schema: number(1, 64, true),
    env: 'STALESWEEP_CONCURRENCY',
    default: 2,
    about: 'How many targets one worker cleans at the same time.',
  },
  host: {
    schema: text('a host name or address'),
    env: 'STALESWEEP_HOST',
    default: '127.0.0.1',
    about: 'The address the dashboard listens on. Off loopback it needs a user and a password.',
  },
  port: {
    schema: number(0, 65535, true),
    env: 'STALESWEEP_PORT',
    default: 3000,
    about: "The dashboard's port; 0 takes a free one.",
  },
  dashboardUser: {
    schema: text('a user name'),
    env: 'STALESWEEP_DASHBOARD_USER',
    about: 'Who may use the dashboard.',
  },
  dashboardPassword: {
    schema: secret('a password'),
    env: 'STALESWEEP_DASHBOARD_PASSWORD',
    about: 'Their password.',
  },
  readOnly: {
    schema: truth,
    env: 'STALESWEEP_READ_ONLY',
    default: false,
    about: 'Whether the dashboard only shows, and refuses every request that would change something.',
  },
  dangerousActions: {
    schema: truth,
    env: 'STALESWEEP_DANGEROUS_ACTIONS',
    default: false,
    about:
      'Whether the dashboard may empty or obliterate a queue, or remove all of its waiting or delayed jobs at once.',
  },
  metricsPort: {
    schema: number(0, 65535, true),
    env: 'STALESWEEP_METRICS_PORT',
    about:
      "Where a worker serves its own `/metrics`, `/healthz` and `/readyz`, on the dashboard's address; unset: nowhere.",
  },
  logLevel: {
    schema: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    env: 'LOG_LEVEL',
    default: 'info',
    about: 'How much is logged. `debug` adds stack traces.',
  },
} as const satisfies Record<string, Setting>;

/** Addresses, and the file itself. */
export const ADDRESS_SETTINGS = {
  url: { schema: redisUrl, env: 'REDIS_URL', about: 'The Redis that is cleaned: the target named `default`.' },
  queueUrl: {
    schema: redisUrl,
    env: 'QUEUE_REDIS_URL',
    about: 'The Redis that holds the queue and its history. Default: the target `default`, else the first one.',
  },
  queuePrefix: {
    schema: keyPrefix,
    env: 'STALESWEEP_QUEUE_PREFIX',
    default: QUEUE_PREFIX,
    about:
      "What the queue's keys begin with. Deployments that share a Redis but no targets need one each; on Redis Cluster it must hold braces.",
  },
  config: { schema: text('a file name'), env: 'STALESWEEP_CONFIG', about: 'A YAML file with settings.' },
} as const satisfies Record<string, Setting>;

type Values<Table extends Record<string, Setting>> = { [Name in keyof Table]: ReturnType<Table[Name]['schema']> };
export type TargetValues = Values<typeof TARGET_SETTINGS>;
export type ProcessValues = Values<typeof PROCESS_SETTINGS>;

export const ALL_SETTINGS: Readonly<Record<string, Setting>> = {
  ...ADDRESS_SETTINGS,
  ...TARGET_SETTINGS,
  ...OWN_TARGET_SETTINGS,
  ...PROCESS_SETTINGS,
};

/** The environment variables that are understood. */
export const SETTINGS_ENV: readonly string[] = Object.values(ALL_SETTINGS).flatMap(({ env }) => env ?? []);

type Schemas<Table extends Record<string, Setting>> = { [Name in keyof Table]: Table[Name]['schema'] };

function schemasOf<Table extends Record<string, Setting>>(table: Table): Schemas<Table> {
  return Object.fromEntries(Object.entries(table).map(([name, { schema }]) => [name, schema])) as Schemas<Table>;
}

const TEMPLATE_EXAMPLE = 'heartbeat: "beat:{coordinator}"';
const URL_EXAMPLE = 'url: "redis://host:6379/0"';

const QUEUE_FIELDS = { url: redisUrl, prefix: keyPrefix };
const anyQueue = fields(QUEUE_FIELDS, URL_EXAMPLE);
const wholeQueue = fields(QUEUE_FIELDS, URL_EXAMPLE, ['url']);

/** Where the queue is, or what its keys begin with, or both: without either its address is missing. */
function queueFields(written: unknown): ReturnType<typeof anyQueue> {
  const given = anyQueue(written);
  return given.prefix === undefined ? wholeQueue(written) : given;
}

const FILE_FIELDS = {
  ...schemasOf(TARGET_SETTINGS),
  ...schemasOf(PROCESS_SETTINGS),
  queue: queueFields,
  targets: named(
    fields({ ...schemasOf(TARGET_SETTINGS), ...schemasOf(OWN_TARGET_SETTINGS), url: redisUrl }, URL_EXAMPLE),
    URL_EXAMPLE,
  ),
  schemas: named(schemaDefinition, TEMPLATE_EXAMPLE),
};

/** The YAML file. Unknown keys are refused. */
export const FILE = fields(FILE_FIELDS, 'staleAfter: 10m');
export type FileValues = ReturnType<typeof FILE>;

/** What may stand in the file. */
export const FILE_NAMES: readonly string[] = [...Object.keys(FILE_FIELDS), 'url'];
