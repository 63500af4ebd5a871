/** arguments: what a caller in JavaScript may hand over that no type allows, told in the sentences that settings have. */
import { parseSetting } from '../config/complaint.ts';
import { fields, Misfit, recordIn } from '../config/values/shape.ts';
import { text, truth } from '../config/values/values.ts';

function callback(value: unknown): unknown {
  if (typeof value === 'function') return value;
  throw new Misfit('must be a function');
}

function abortSignal(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && 'aborted' in value && 'throwIfAborted' in value) return value;
  throw new Misfit('must be an AbortSignal');
}

/** Options as the object that they must be. Fails (`CONFIG`) for anything else, by the name of the function that was called. */
export function optionsOf<Options extends object>(options: Options, called: string): Options {
  parseSetting(() => recordIn(options, 'must get an object of options'), options, called);
  return options;
}

/** Fails (`CONFIG`) where one of these is there and is no function; `signal`: no AbortSignal. */
export function insistOnKinds(given: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) parseSetting(name === 'signal' ? abortSignal : callback, value, name);
  }
}

/** Fails (`CONFIG`) where anything is left of the options that nobody knows. */
export function insistOnNoMore(left: object, called: string): void {
  parseSetting(fields({}, ''), left, called);
}

/** `true` or `false`, whichever way it was written: the text "false" would count as true. */
export function flagOf(value: boolean, name: string): boolean {
  return parseSetting(truth, value, name);
}

/** An id, or a swarm, whatever it holds: blanks alone are one, too. */
export function idOf(value: string, name: string): string {
  return typeof value === 'string' && value !== '' ? value : parseSetting(text('an id'), value, name);
}

/** As JSON has no other: what is no value at all must not pass for one that was left out, or a guard would be off in silence. */
export function asJson(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'function' || typeof value === 'symbol' ? {} : value;
}
