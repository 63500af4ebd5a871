/** resolve: from flags, environment and file to one validated configuration. A pure function: it reads nothing itself.
 *
 *      flags  over  environment  over  file (a target's own, then everyone's)  over  defaults
 */
import { Failure } from '../domain/failure.ts';
import { QUEUE_PREFIX } from '../domain/ownKeys.ts';
import { KeyReader } from '../schema/keyReader.ts';
import { compileSchema, type KeySchema, type SchemaDefinition } from '../schema/keySchema.ts';
import { SHIPPED_SCHEMAS } from '../schema/shipped.ts';
import { legible, parseSetting, suggestion } from './complaint.ts';
import { FILE, type FileValues } from './file/file.ts';
import { overridesOf } from './file/overrides.ts';
import { parseYaml } from './file/yaml.ts';
import { defaultLevel, type Environment, envLevel, type Flags, flagLevel, given, settle } from './levels.ts';
import { withoutServices } from './services.ts';
import { NOTIFY_SETTINGS, type Notify, notifyOf } from './settings/notify.ts';
import { PROCESS_SETTINGS, type ProcessValues } from './settings/processSettings.ts';
import { replicasOf } from './settings/replicas.ts';
import { SENTINEL_SETTINGS, sentinelOf } from './settings/sentinel.ts';
import type { Level } from './settings/setting.ts';
import {
  ADDRESS_SETTINGS,
  OWN_TARGET_SETTINGS,
  SETTINGS_ENV,
  TARGET_SETTINGS,
  type TargetValues,
} from './settings/settings.ts';
import type { Address } from './values/tls.ts';

export type { Environment, Flags };

export interface ConfigFile {
  readonly name: string;
  readonly text: string;
}

/** One Redis deployment that is cleaned, and how. Durations are in ms. */
export interface TargetConfig
  extends Omit<TargetValues, 'schema' | 'cron' | 'tz' | 'staleAfter' | 'minStaleAfter' | 'maxStale'>,
    Address {
  readonly name: string;
  readonly schema: KeySchema;
  readonly staleAfterSeconds: number;
  readonly minStaleAfterSeconds: number;
  /** `undefined`: off. */
  readonly maxStale: number | undefined;
  /** When set, it holds instead of `every`. */
  readonly cron: string | undefined;
  readonly tz: string | undefined;
  /** Stands for the address in the fingerprint. */
  readonly id?: string | undefined;
  /** Where copies of it may be read, by `readFrom: replica`; empty where it says itself who has some. */
  readonly replicas: readonly string[];
}

/** Where the queue is, and what its keys begin with. */
export interface QueueConfig extends Address {
  readonly prefix: string;
}

type Optional = 'dashboardUser' | 'dashboardPassword' | 'basePath' | 'metricsPort' | 'tlsCa' | 'tlsCert' | 'tlsKey';

export interface Config {
  readonly targets: ReadonlyMap<string, TargetConfig>;
  readonly queue: QueueConfig;
  /** Whom to tell of runs that went wrong; `undefined`: nobody. */
  readonly notify?: Notify | undefined;
  /** Whether anybody said which Redis is to be cleaned; if not, none may be. */
  readonly targetGiven: boolean;
  /** What the environment changes behind the file's back: sentences that are worth a warning. */
  readonly overrides: readonly string[];
  /** What has no default may be missing. */
  readonly process: Omit<ProcessValues, Optional> & Partial<Pick<ProcessValues, Optional>>;
}

/** Whole seconds, rounded up: never less silence than was asked for. */
export function wholeSeconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000);
}

function readFile(file: ConfigFile | undefined): FileValues {
  return file === undefined ? {} : parseSetting(FILE, parseYaml(file.name, file.text), file.name);
}

function checkTarget(target: TargetConfig): TargetConfig {
  const { name, schema, staleAfterSeconds, minStaleAfterSeconds } = target;
  if (staleAfterSeconds < minStaleAfterSeconds) {
    const sentence = `staleAfter (${staleAfterSeconds}s) is below minStaleAfter (${minStaleAfterSeconds}s)`;
    throw new Failure('CONFIG', `target "${name}": ${sentence}; raise the one or lower the other`);
  }
  for (const family of target.orphans) {
    const index = schema.families.indexOf(family);
    if (index === -1 || index === schema.heartbeatFamily) {
      const allowed = schema.families.filter((_, i) => i !== schema.heartbeatFamily).join(', ') || 'none';
      const sentence = `orphans: "${legible(family)}" is not a family that schema "${schema.name}" can sweep; allowed: ${allowed}`;
      throw new Failure('CONFIG', `target "${name}": ${sentence}`);
    }
  }
  const { announce } = target;
  if (announce !== false && 'stream' in announce) {
    const key = Buffer.from(announce.stream, 'latin1');
    if (new KeyReader(schema, true).read(key) !== 'foreign') {
      const sentence = `announce: the stream "${legible(key.toString())}" reads as a key of schema "${schema.name}", and could be swept`;
      throw new Failure('CONFIG', `target "${name}": ${sentence}; give it another name`);
    }
  }
  return target;
}

function schemasOf(file: FileValues): ReadonlyMap<string, SchemaDefinition> {
  const schemas = new Map(Object.entries(SHIPPED_SCHEMAS));
  for (const [name, definition] of Object.entries(file.schemas ?? {})) schemas.set(name, definition);
  return schemas;
}

/** Resolves the configuration. Fails (`CONFIG`) with one sentence that names the source and what it allows. */
export function resolveConfig(flags: Flags, environment: Environment, configFile?: ConfigFile): Config {
  const env = withoutServices(environment);
  const stray = Object.keys(env).find((name) => name.startsWith('STALESWEEP_') && !SETTINGS_ENV.includes(name));
  if (stray) throw new Failure('CONFIG', `unknown setting "${legible(stray)}"${suggestion(stray, SETTINGS_ENV)}`);

  const file = readFile(configFile);
  const { targets: fileTargets = {}, schemas: _, queue, notify, sentinel, ...everyone } = file;
  const address = { ...envLevel(ADDRESS_SETTINGS, env), ...flagLevel(ADDRESS_SETTINGS, flags) };
  const sentinelEnv = envLevel(SENTINEL_SETTINGS, env);
  const prefix = (address.queuePrefix as string | undefined) ?? queue?.prefix ?? QUEUE_PREFIX;
  const schemas = schemasOf(file);
  // Those that ship are known to be right.
  for (const [name, definition] of Object.entries(file.schemas ?? {})) compileSchema(name, definition);

  const fromEnv = envLevel(TARGET_SETTINGS, env);
  const { replicas: envReplicas } = envLevel(OWN_TARGET_SETTINGS, env) as { readonly replicas?: readonly string[] };
  const names = Object.keys(fileTargets);
  if (names.length === 0 || (address.url !== undefined && !names.includes('default'))) names.unshift('default');
  const targets = new Map<string, TargetConfig>();
  for (const name of names) {
    const {
      url: fileUrl,
      id,
      sentinel: ownSentinel,
      replicas: fileReplicas = [],
      ...own
    } = Object.hasOwn(fileTargets, name) ? (fileTargets[name] ?? {}) : {};
    const levels = [
      flagLevel(TARGET_SETTINGS, flags),
      fromEnv,
      own,
      given(TARGET_SETTINGS, (setting) => (everyone as Level)[setting]),
      defaultLevel(TARGET_SETTINGS),
    ];
    const values = settle(levels, `target "${name}"`) as TargetValues;
    const url = (name === 'default' ? (address.url as string | undefined) : undefined) ?? fileUrl;
    if (url === undefined && name !== 'default') {
      throw new Failure('CONFIG', `target "${name}" has no url; write url: redis://host:6379/0 under it`);
    }
    const definition = schemas.get(values.schema);
    if (definition === undefined) {
      const known = [...schemas.keys()];
      const hint = suggestion(values.schema, known) || `; known: ${known.join(', ')}`;
      throw new Failure('CONFIG', `target "${name}": unknown schema "${legible(values.schema)}"${hint}`);
    }
    const { staleAfter, minStaleAfter, maxStale, cron, tz, ...rest } = values;
    targets.set(
      name,
      checkTarget({
        ...rest,
        name,
        url: url ?? DEFAULT_URL,
        replicas: replicasOf(name, url ?? DEFAULT_URL, (name === 'default' ? envReplicas : undefined) ?? fileReplicas),
        id,
        sentinel: sentinelOf(sentinelEnv, ownSentinel, sentinel),
        maxStale,
        cron,
        tz,
        schema: compileSchema(values.schema, definition, values.orphans, [`${prefix}:`]),
        staleAfterSeconds: wholeSeconds(staleAfter),
        minStaleAfterSeconds: wholeSeconds(minStaleAfter),
      }),
    );
  }

  const ownFile = given(PROCESS_SETTINGS, (name) => (everyone as Level)[name]);
  const processLevels = [flagLevel(PROCESS_SETTINGS, flags), envLevel(PROCESS_SETTINGS, env), ownFile];
  const process = Object.assign({}, defaultLevel(PROCESS_SETTINGS), ...processLevels.toReversed());
  const first = targets.get('default') ?? [...targets.values()][0];
  const isOwnQueue = address.queueUrl !== undefined || queue?.url !== undefined;
  return {
    targets,
    queue: {
      url: (address.queueUrl as string | undefined) ?? queue?.url ?? first?.url ?? DEFAULT_URL,
      prefix,
      sentinel: sentinelOf(sentinelEnv, queue?.sentinel, isOwnQueue ? undefined : first?.sentinel, sentinel),
    },
    overrides: configFile === undefined ? [] : overridesOf(configFile.name, fileTargets, fromEnv, env.REDIS_URL),
    targetGiven: address.url !== undefined || names.some((name) => fileTargets[name]?.url !== undefined),
    notify: notifyOf(envLevel(NOTIFY_SETTINGS, env), notify),
    process,
  };
}

/** Where Redis usually is. */
export const DEFAULT_URL = 'redis://127.0.0.1:6379';
