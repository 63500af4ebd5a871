/** settings: every setting once, with its default, its environment variable and what it does: those of a target here, those of a
 * process beside. The documentation, the validation and the command line all read these tables. */
import { QUEUE_PREFIX } from '../../domain/ownKeys.ts';
import { announce, trash } from '../values/removalValues.ts';
import {
  cron,
  duration,
  history,
  keyPrefix,
  memory,
  names,
  number,
  oneOf,
  patterns,
  redisUrl,
  suddenSilence,
  text,
  timeZone,
  truth,
} from '../values/values.ts';
import { NOTIFY_SETTINGS } from './notify.ts';
import { PROCESS_SETTINGS } from './processSettings.ts';
import { replicaUrls } from './replicas.ts';
import { SENTINEL_SETTINGS } from './sentinel.ts';
import type { Setting, Values } from './setting.ts';

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
  horizon: {
    schema: truth,
    env: 'STALESWEEP_HORIZON',
    default: true,
    about:
      'Whether a scheduled run looks no further than it must: not at all while nobody can be stale since the last full pass, and only at those who could be while these are few. Else every run looks at everybody.',
  },
  readFrom: {
    schema: oneOf('primary', 'replica'),
    env: 'STALESWEEP_READ_FROM',
    default: 'primary',
    about:
      'With `replica` a run looks at a replica that has caught up, and only what goes is proved and removed at the primary: of a cluster, behind Sentinel, or one of `replicas`.',
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
    default: '320MB',
    about:
      'How much memory a run may take for what it finds: enough for about a million stale coordinators with six keys each. Beyond, it walks the keyspace a second time for their keys; beyond twice as many, in partitions.',
  },
  trash: {
    schema: trash,
    env: 'STALESWEEP_TRASH',
    default: '0s',
    about:
      'How long what is swept can be restored: it is renamed instead of removed, still takes memory, and expires after this time. 0s is off.',
  },
  announce: {
    schema: announce,
    default: false,
    about:
      'Where it is said who was swept, in the same step: `{ channel: "swept" }` publishes, `{ stream: "swept", maxLength: 10000 }` adds to a stream.',
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
    about:
      'How long finished jobs stay in the queue, by `age` and `count`, for `completed` and `failed` ones: one setting for all targets, at the top of the file.',
  },
} as const satisfies Record<string, Setting>;

/** What only a single target can have. */
export const OWN_TARGET_SETTINGS = {
  replicas: {
    schema: replicaUrls,
    env: 'STALESWEEP_REPLICAS',
    about:
      'Replicas that may be read with `readFrom: replica`, the first that has caught up: addresses such as [redis://replica:6379], with the user and password of the target where they name none. The variable is for the target `default`, with commas between them. Needed neither for a cluster nor behind Sentinel.',
  },
  id: {
    schema: text('a name'),
    about:
      'What the target is known by to others on the queue, instead of its address: for where that differs between machines.',
  },
} as const satisfies Record<string, Setting>;

/** Addresses, and the file itself. */
export const ADDRESS_SETTINGS = {
  url: {
    schema: redisUrl,
    env: 'REDIS_URL',
    about:
      'The Redis that is cleaned: the target named `default`. A `redis://`, `rediss://`, `valkey://` or `valkeys://` address, `redis+sentinel://host1:26379,host2:26379/mymaster?db=0` and `redis+cluster://host1:6379,host2:6379` (or `rediss+…`), or `unix:///run/redis.sock?db=0`.',
  },
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

export type TargetValues = Values<typeof TARGET_SETTINGS>;

export const ALL_SETTINGS: Readonly<Record<string, Setting>> = {
  ...ADDRESS_SETTINGS,
  ...TARGET_SETTINGS,
  ...OWN_TARGET_SETTINGS,
  ...SENTINEL_SETTINGS,
  ...NOTIFY_SETTINGS,
  ...PROCESS_SETTINGS,
};

/** The environment variables that are understood. */
export const SETTINGS_ENV: readonly string[] = Object.values(ALL_SETTINGS).flatMap(({ env }) => env ?? []);
