/** config: the configuration of a command. */
import { loadConfig } from '../config/load.ts';
import type { Config, Flags } from '../config/resolve.ts';
import { ALL_SETTINGS } from '../config/settings.ts';
import type { Command } from './commander.ts';

/**
 * The configuration in force for this command; `own` are flags that mean something else to it than the setting of that
 * name. Fails (`CONFIG`) with one sentence.
 */
export function configOf(command: Command, own: readonly string[] = []): Config {
  const given = command.opts<Record<string, unknown>>();
  const flags: Flags = Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) =>
      typeof value === 'string' && name in ALL_SETTINGS && !own.includes(name) ? [[name, value]] : [],
    ),
  );
  return loadConfig(flags, process.env);
}
