/** resolve: from flags, environment and file to one validated configuration. A pure function: it reads nothing itself.
 *
 *      flags  over  environment  over  file (a target's own, then everyone's)  over  defaults
 */
import { createRequire } from 'node:module';
import { Failure } from '../domain/failure.ts';
import { QUEUE_PREFIX } from '../domain/ownKeys.ts';
import { compileSchema, type KeySchema, type SchemaDefinition } from '../schema/keySchema.ts';
import { SHIPPED_SCHEMAS } from '../schema/shipped.ts';
import {
  ADDRESS_SETTINGS,
  FILE,
  FILE_NAMES,
  type FileValues,
  PROCESS_SETTINGS,
  type ProcessValues,
  SETTINGS_ENV,
  TARGET_SETTINGS,
  type TargetValues,
} from './settings.ts';
import { Misfit, type Value } from './shape.ts';
import type { Address } from './tls.ts';
import { parseYaml } from './yaml.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Flags that set a setting, by the setting's name. */
export type Flags = Readonly<Record<string, string | undefined>>;

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
}

/** Where the queue is, and what its keys begin with. */
export interface QueueConfig extends Address {
  readonly prefix: string;
}

type Optional = 'dashboardUser' | 'dashboardPassword' | 'metricsPort' | 'tlsCa' | 'tlsCert' | 'tlsKey';

export interface Config {
  readonly targets: ReadonlyMap<string, TargetConfig>;
  readonly queue: QueueConfig;
  /** Whether anybody said which Redis is to be cleaned; if not, the usual address is meant. */
  readonly targetGiven: boolean;
  /** What has no default may be missing. */
  readonly process: Omit<ProcessValues, Optional> & Partial<Pick<ProcessValues, Optional>>;
}

/** Whole seconds, rounded up: never less silence than was asked for. */
export const wholeSeconds = (milliseconds: number): number => Math.ceil(milliseconds / 1000);

// Loaded when first needed, which is once something is misspelled.
const require = createRequire(import.meta.url);

const suggestion = (name: string, known: readonly string[]): string => {
  const { closest, distance } = require('fastest-levenshtein') as typeof import('fastest-levenshtein');
  const nearest = closest(name, [...known]);
  const away = distance(name, nearest);
  return away > 0 && away < name.length && away <= Math.max(2, name.length / 3) ? `, did you mean "${nearest}"?` : '';
};

/** A name as one line can show it, whatever it holds. */
const legible = (name: string): string => JSON.stringify(name).slice(1, -1);

const complain = (where: string, { message, path, unknownName }: Misfit): Failure => {
  const at = legible(path.join('.'));
  if (unknownName !== undefined) {
    const under = at === '' ? '' : ` under "${at}"`;
    const meant = suggestion(unknownName, FILE_NAMES);
    return new Failure('CONFIG', `${where}: unknown setting "${legible(unknownName)}"${under}${meant}`);
  }
  return new Failure('CONFIG', `${where}: ${at === '' ? '' : `${at}: `}${message}`);
};

/** Parses one value; fails with a sentence that names where it stood. */
export const parseSetting = <T>(schema: Value<T>, value: unknown, where: string): T => {
  try {
    return schema(value);
  } catch (error) {
    throw error instanceof Misfit ? complain(where, error) : error;
  }
};

const readFile = (file: ConfigFile | undefined): FileValues =>
  file === undefined ? {} : parseSetting(FILE, parseYaml(file.name, file.text), file.name);

type Level = Readonly<Record<string, unknown>>;
type AnySetting = { readonly schema: Value<unknown>; readonly env?: string; readonly default?: unknown };

const given = (table: Readonly<Record<string, AnySetting>>, read: (name: string, setting: AnySetting) => unknown) => {
  const level: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(table)) {
    const value = read(name, setting);
    if (value !== undefined) level[name] = value;
  }
  return level;
};

const flagLevel = (table: Readonly<Record<string, AnySetting>>, flags: Flags): Level =>
  given(table, (name, { schema }) => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return flags[name] === undefined ? undefined : parseSetting(schema, flags[name], flag);
  });

/** An empty variable counts as unset: that is what compose files and shells leave behind. */
const envLevel = (table: Readonly<Record<string, AnySetting>>, env: Environment): Level =>
  given(table, (_, { schema, env: variable }) =>
    variable === undefined || !env[variable] ? undefined : parseSetting(schema, env[variable], variable),
  );

const defaultLevel = (table: Readonly<Record<string, AnySetting>>): Level =>
  given(table, (name, setting) =>
    setting.default === undefined ? undefined : parseSetting(setting.schema, setting.default, name),
  );

/** `cron` and `every` replace each other: the upper level that names either decides. */
const settle = (levels: readonly Level[], where: string): Level => {
  for (const level of levels) {
    if (level.cron !== undefined && level.every !== undefined) {
      throw new Failure('CONFIG', `${where}: "every" and "cron" are both set; keep one`);
    }
  }
  const merged = Object.assign({}, ...levels.toReversed()) as Record<string, unknown>;
  const decides = levels.find((level) => level.cron !== undefined || level.every !== undefined);
  if (decides?.cron === undefined) delete merged.cron;
  if (merged.tz !== undefined && levels.every((level) => level.cron === undefined)) {
    throw new Failure('CONFIG', `${where}: "tz" needs "cron"; an interval has no time zone`);
  }
  return merged;
};

const checkTarget = (target: TargetConfig): TargetConfig => {
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
  return target;
};

const schemasOf = (file: FileValues): ReadonlyMap<string, SchemaDefinition> => {
  const schemas = new Map(Object.entries(SHIPPED_SCHEMAS));
  for (const [name, definition] of Object.entries(file.schemas ?? {})) schemas.set(name, definition);
  return schemas;
};

/** What Kubernetes tells every pod of a Service that is called stalesweep, or something that begins so. */
const SERVICE_VARIABLE =
  /^STALESWEEP_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
const SERVICE_PORT = /^(tcp|udp|sctp):\/\//;

/** The environment without what is no setting of ours, though it is called so. */
const withoutServices = (env: Environment): Environment =>
  Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) =>
        !SERVICE_VARIABLE.test(name) && !(/^STALESWEEP_(\w+_)?PORT$/.test(name) && SERVICE_PORT.test(value ?? '')),
    ),
  );

/** Resolves the configuration. Fails (`CONFIG`) with one sentence that names the source and what it allows. */
export const resolveConfig = (flags: Flags, environment: Environment, configFile?: ConfigFile): Config => {
  const env = withoutServices(environment);
  const stray = Object.keys(env).find((name) => name.startsWith('STALESWEEP_') && !SETTINGS_ENV.includes(name));
  if (stray) throw new Failure('CONFIG', `unknown setting "${legible(stray)}"${suggestion(stray, SETTINGS_ENV)}`);

  const file = readFile(configFile);
  const { targets: fileTargets = {}, schemas: _, queue, ...everyone } = file;
  const address = { ...envLevel(ADDRESS_SETTINGS, env), ...flagLevel(ADDRESS_SETTINGS, flags) };
  const prefix = (address.queuePrefix as string | undefined) ?? queue?.prefix ?? QUEUE_PREFIX;
  const schemas = schemasOf(file);
  // Those that ship are known to be right.
  for (const [name, definition] of Object.entries(file.schemas ?? {})) compileSchema(name, definition);

  const names = Object.keys(fileTargets);
  if (names.length === 0 || (address.url !== undefined && !names.includes('default'))) names.unshift('default');
  const targets = new Map<string, TargetConfig>();
  for (const name of names) {
    const { url: fileUrl, id, ...own } = Object.hasOwn(fileTargets, name) ? (fileTargets[name] ?? {}) : {};
    const levels = [
      flagLevel(TARGET_SETTINGS, flags),
      envLevel(TARGET_SETTINGS, env),
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
        id,
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
  return {
    targets,
    queue: { url: (address.queueUrl as string | undefined) ?? queue?.url ?? first?.url ?? DEFAULT_URL, prefix },
    targetGiven: address.url !== undefined || names.some((name) => fileTargets[name]?.url !== undefined),
    process,
  };
};

/** Where Redis usually is. */
export const DEFAULT_URL = 'redis://127.0.0.1:6379';
