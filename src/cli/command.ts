/** command: what every command shares: its flags for settings, and how it fails. Loaded to show a command's help, so it loads little. */
import { ALL_SETTINGS } from '../config/settings/settings.ts';
import { END_SIGNALS } from '../domain/endSignals.ts';
import { Failure, sentenceOf } from '../domain/failure.ts';
import { Command } from './commander.ts';
import { say } from './output/say.ts';

/** Thrown to end with an exit code when everything has been said. */
export class Exit extends Error {
  constructor(readonly code: number) {
    super(`exit ${code}`);
  }
}

function flagOf(setting: string): string {
  return setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Help and errors fit a terminal of 80 columns. */
function asHelp(about: string): string {
  return about.replaceAll('`', '');
}

/** What the flag does that every command takes. */
export const NO_COLOR = 'nothing is coloured (NO_COLOR)';

/** A command that takes these settings as flags, besides `--config`. */
export function newCommand(name: string, description: string, settings: readonly string[] = []): Command {
  const command = new Command(name).description(description);
  command.option('--config <file>', 'a YAML file with settings (STALESWEEP_CONFIG)');
  command.option('--no-color', NO_COLOR);
  for (const setting of settings) {
    const known = ALL_SETTINGS[setting];
    const fallback = known?.default === undefined ? '' : ` (default ${JSON.stringify(known.default)})`;
    command.option(`--${flagOf(setting)} <value>`, `${asHelp(known?.about ?? '')}${fallback}`);
  }
  return command;
}

/** Says in one sentence on stderr what went wrong; resolves to the exit code. Stacks are for debugging only. */
export function fail(error: unknown): number {
  if (error instanceof Exit) return error.code;
  say(sentenceOf(error));
  if (process.env.LOG_LEVEL === 'debug' && error instanceof Error) console.error(error.stack);
  return error instanceof Failure ? error.exitCode : 1;
}

let staying = false;

/** Whether the command under way is one that stays until a signal comes. */
export function isStaying(): boolean {
  return staying;
}

/** A command begins: whether it is one that stays is not known before it is loaded, whatever the one before it was. */
export function begins(): void {
  staying = false;
}

/**
 * Loads a command that stays until a signal comes. One that comes before the command listens itself ends it in order: there is nothing
 * to close yet.
 */
export async function loading<T>(load: () => Promise<T>): Promise<T> {
  const leave = (signal: NodeJS.Signals) => {
    if (process.listenerCount(signal) === 1) process.exit(0);
  };
  staying = true;
  for (const signal of END_SIGNALS) process.on(signal, leave);
  return await load();
}

/** A whole number from a flag. Fails (`USAGE`). */
export function wholeNumber(flag: string, text: string, least: number, most = 100_000_000): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new Failure('USAGE', `${flag}: "${text}" must be a whole number from ${least} to ${most}`);
}
