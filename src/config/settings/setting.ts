/** setting: what a setting is. */
import type { Value } from '../values/shape.ts';

export interface Setting {
  readonly schema: Value<unknown>;
  readonly env?: string;
  /** As a user would write it; absent: unset. */
  readonly default?: unknown;
  readonly about: string;
}

/** Values by the names of their settings, from one source; what was not given is missing. */
export type Level = Readonly<Record<string, unknown>>;

/** What the settings of a table come to, by name. */
export type Values<Table extends Record<string, Setting>> = {
  [Name in keyof Table]: ReturnType<Table[Name]['schema']>;
};
