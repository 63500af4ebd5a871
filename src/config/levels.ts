/** levels: where settings come from, each read in full before one is laid over the other. */
import { Failure } from '../domain/failure.ts';
import { parseSetting } from './complaint.ts';
import type { Level, Setting } from './settings/setting.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Flags that set a setting, by the setting's name. */
export type Flags = Readonly<Record<string, string | undefined>>;

type Table = Readonly<Record<string, Setting>>;

/** The settings of a table for which `read` knows a value. */
export function given(table: Table, read: (name: string, setting: Setting) => unknown): Level {
  const level: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(table)) {
    const value = read(name, setting);
    if (value !== undefined) level[name] = value;
  }
  return level;
}

/** What the command line says. */
export function flagLevel(table: Table, flags: Flags): Level {
  return given(table, (name, { schema }) => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return flags[name] === undefined ? undefined : parseSetting(schema, flags[name], flag);
  });
}

/** An empty variable counts as unset: that is what compose files and shells leave behind. */
export function envLevel(table: Table, env: Environment): Level {
  return given(table, (_, { schema, env: variable }) =>
    variable === undefined || !env[variable] ? undefined : parseSetting(schema, env[variable], variable),
  );
}

/** What holds where nobody says anything. */
export function defaultLevel(table: Table): Level {
  return given(table, (name, setting) =>
    setting.default === undefined ? undefined : parseSetting(setting.schema, setting.default, name),
  );
}

/** `cron` and `every` replace each other: the upper level that names either decides. */
export function settle(levels: readonly Level[], where: string): Level {
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
}
