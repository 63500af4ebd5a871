/** config: the configuration of a command. */
import { loadConfig } from '../config/load.ts';
import type { Config, Flags } from '../config/resolve.ts';
import { ALL_SETTINGS } from '../config/settings.ts';
import type { Command } from './commander.ts';
import { plain } from './plain.ts';

/** Commands that act on a target and end; those that stay log it at their start. */
const ACTING: readonly string[] = ['run', 'enqueue', 'restore', 'populate', 'doctor'];

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
  const config = loadConfig(flags, process.env);
  if (ACTING.includes(command.name())) for (const one of config.overrides) console.error(`stalesweep: ${plain(one)}`);
  return config;
}
