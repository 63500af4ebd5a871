/** resolve: from flags, environment and file to one validated configuration. A pure function: it reads nothing itself.
 *
 *      flags  over  environment  over  file (a target's own, then everyone's)  over  defaults
 */
import { closest, distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { Failure } from '../domain/failure.ts';
import { compileSchema, type KeySchema, type SchemaDefinition } from '../schema/keySchema.ts';
import { SHIPPED_SCHEMAS } from '../schema/shipped.ts';
import {
  ADDRESS_SETTINGS,
  FILE,
  type FileValues,
  PROCESS_SETTINGS,
  type ProcessValues,
  SETTINGS_ENV,
  TARGET_SETTINGS,
  type TargetValues,
} from './settings.ts';
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
  extends Omit<TargetValues, 'schema' | 'cron' | 'tz' | 'staleAfter' | 'minStaleAfter'>,
    Address {
  readonly name: string;
  readonly schema: KeySchema;
  readonly staleAfterSeconds: number;
  readonly minStaleAfterSeconds: number;
  /** When set, it holds instead of `every`. */
  readonly cron: string | undefined;
  readonly tz: string | undefined;
}

type Optional = 'dashboardUser' | 'dashboardPassword' | 'metricsPort' | 'tlsCa' | 'tlsCert' | 'tlsKey';

export interface Config {
  readonly targets: ReadonlyMap<string, TargetConfig>;
  readonly queue: Address;
  /** Whether anybody said which Redis is to be cleaned; if not, the usual address is meant. */
  readonly targetGiven: boolean;
  /** What has no default may be missing. */
  readonly process: Omit<ProcessValues, Optional> & Partial<Pick<ProcessValues, Optional>>;
}

/** Whole seconds, rounded up: never less silence than was asked for. */
export const wholeSeconds = (milliseconds: number): number => Math.ceil(milliseconds / 1000);

const suggestion = (name: string, known: readonly string[]): string => {
  const nearest = closest(name, [...known]);
  const away = distance(name, nearest);
  return away > 0 && away < name.length && away <= Math.max(2, name.length / 3) ? `, did you mean "${nearest}"?` : '';
};

/** A name as one line can show it, whatever it holds. */
const legible = (name: string): string => JSON.stringify(name).slice(1, -1);

const complain = (where: string, issue: z.core.$ZodIssue, known: readonly string[]): Failure => {
  const path = legible(issue.path.join('.'));
  if (issue.code === 'unrecognized_keys') {
    const name = issue.keys[0] ?? '';
    const under = path === '' ? '' : ` under "${path}"`;
    return new Failure('CONFIG', `${where}: unknown setting "${legible(name)}"${under}${suggestion(name, known)}`);
  }
  const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return new Failure('CONFIG', `${where}: ${path === '' ? '' : `${path}: `}${message}`);
};

/** Parses one value; fails with a sentence that names where it stood. */
export const parseSetting = <T extends z.ZodType>(schema: T, value: unknown, where: string): z.output<T> => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw issue ? complain(where, issue, []) : new Failure('CONFIG', `${where}: is not valid`);
};

const readFile = (file: ConfigFile | undefined): FileValues => {
  if (file === undefined) return {};
  const content = parseYaml(file.name, file.text);
  const result = FILE.safeParse(content);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const known = [...Object.keys(FILE.shape), 'url'];
  throw issue ? complain(file.name, issue, known) : new Failure('CONFIG', `${file.name}: is not valid`);
};

type Level = Readonly<Record<string, unknown>>;
type AnySetting = { readonly schema: z.ZodType; readonly env?: string; readonly default?: unknown };

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

/** Resolves the configuration. Fails (`CONFIG`) with one sentence that names the source and what it allows. */
export const resolveConfig = (flags: Flags, env: Environment, configFile?: ConfigFile): Config => {
  const stray = Object.keys(env).find((name) => name.startsWith('STALESWEEP_') && !SETTINGS_ENV.includes(name));
  if (stray) throw new Failure('CONFIG', `unknown setting "${legible(stray)}"${suggestion(stray, SETTINGS_ENV)}`);

  const file = readFile(configFile);
  const { targets: fileTargets = {}, schemas: _, queue, ...everyone } = file;
  const address = { ...envLevel(ADDRESS_SETTINGS, env), ...flagLevel(ADDRESS_SETTINGS, flags) };
  const schemas = schemasOf(file);
  // Those that ship are known to be right.
  for (const [name, definition] of Object.entries(file.schemas ?? {})) compileSchema(name, definition);

  const names = Object.keys(fileTargets);
  if (names.length === 0 || (address.url !== undefined && !names.includes('default'))) names.unshift('default');
  const targets = new Map<string, TargetConfig>();
  for (const name of names) {
    const { url: fileUrl, ...own } = Object.hasOwn(fileTargets, name) ? (fileTargets[name] ?? {}) : {};
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
    const { staleAfter, minStaleAfter, cron, tz, ...rest } = values;
    targets.set(
      name,
      checkTarget({
        ...rest,
        name,
        url: url ?? DEFAULT_URL,
        cron,
        tz,
        schema: compileSchema(values.schema, definition, values.orphans),
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
    queue: { url: (address.queueUrl as string | undefined) ?? queue?.url ?? first?.url ?? DEFAULT_URL },
    targetGiven: address.url !== undefined || names.some((name) => fileTargets[name]?.url !== undefined),
    process,
  };
};

/** Where Redis usually is. */
export const DEFAULT_URL = 'redis://127.0.0.1:6379';
