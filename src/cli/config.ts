/** config: the configuration of a command. */
import { DEMO_FILE, isDemoHere, TARGET_ENV } from '../config/demo.ts';
import { loadConfig } from '../config/load.ts';
import type { Config, Flags } from '../config/resolve.ts';
import { ALL_SETTINGS } from '../config/settings/settings.ts';
import type { Command } from './commander.ts';
import { say } from './output/say.ts';

/** Commands that act on a target and end; those that stay log it at their start. */
const ACTING: readonly string[] = ['run', 'enqueue', 'restore', 'populate', 'doctor'];

/**
 * The configuration in force for this command; `own` are flags that mean something else to it than the setting of that
 * name. Fails (`CONFIG`) with one sentence.
 */
export function configOf(command: Command, own: readonly string[] = []): Config {
  const named = TARGET_ENV.some((name) => process.env[name]) || command.name() === 'start';
  // Whoever names no target where the demo runs means the demo's, and its threshold.
  const config = loadConfig(flagsOf(command, own), process.env, !named && isDemoHere() ? DEMO_FILE : undefined);
  if (ACTING.includes(command.name())) for (const one of config.overrides) say(one);
  return config;
}

/** The configuration of the demo: whatever Redis the environment names is left out of it. Fails (`CONFIG`) with one sentence. */
export function demoConfigOf(command: Command): Config {
  const others = Object.entries(process.env).filter(([name]) => !TARGET_ENV.some((one) => one === name));
  return loadConfig(flagsOf(command, ['config']), Object.fromEntries(others), DEMO_FILE);
}

function flagsOf(command: Command, own: readonly string[]): Flags {
  const given = command.opts<Record<string, unknown>>();
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) =>
      typeof value === 'string' && name in ALL_SETTINGS && !own.includes(name) ? [[name, value]] : [],
    ),
  );
}
