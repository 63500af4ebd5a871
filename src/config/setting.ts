/** setting: what a setting is. */
import type { Value } from './shape.ts';

export interface Setting {
  readonly schema: Value<unknown>;
  readonly env?: string;
  /** As a user would write it; absent: unset. */
  readonly default?: unknown;
  readonly about: string;
}

/** What the settings of a table come to, by name. */
export type Values<Table extends Record<string, Setting>> = {
  [Name in keyof Table]: ReturnType<Table[Name]['schema']>;
};
