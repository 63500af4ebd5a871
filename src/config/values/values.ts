/** values: what a value may be, and the sentence that says so when it is something else. */
import { createRequire } from 'node:module';
import type { StringValue } from 'ms';
import { inRedisScheme, redactUrl, urlComplaint } from './redisUrl.ts';
import { fields, listInText, listOf, Misfit, type Value } from './shape.ts';

// As the CommonJS that they are: `import` would first search them for names to export.
const require = createRequire(import.meta.url);
const ms = require('ms') as typeof import('ms');
const { parse: parseBytes } = require('bytes') as typeof import('bytes');

/** As much of a wrong value as a sentence can hold. */
const MOST_SHOWN = 100;

/** A text as it may be printed: of an address, wherever it was written by mistake, no password. */
export function withoutSecrets(text: string): string {
  return text.includes('@') ? redactUrl(text) : text;
}

/** A value as a sentence can hold it. What is made of others may hold a password, so only its kind is said. */
export function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? '[…]' : '{…}';
  const given = typeof value === 'string' ? withoutSecrets(value) : value;
  // JSON has no word for NaN and Infinity, which YAML has.
  const text = typeof given === 'number' ? String(given) : (JSON.stringify(given) ?? String(given));
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}

/** Milliseconds from a text such as `10m`, at least `leastMs`. A bare number is refused: it could mean anything. */
export function duration(leastMs: number): Value<number> {
  return (value) => {
    const bare = typeof value === 'number' || (typeof value === 'string' && /^\s*[\d.]{1,20}\s*$/.test(value));
    const parsed =
      typeof value === 'string' && value !== '' && !bare && value.length <= 100 ? ms(value as StringValue) : undefined;
    if (parsed !== undefined && Number.isFinite(parsed) && parsed >= leastMs && parsed <= ms('1000d')) return parsed;
    if (bare) throw new Misfit(`${shown(value)} has no unit; write ${value}s, ${value}m or ${value}ms`);
    throw new Misfit(
      parsed === undefined || Number.isNaN(parsed)
        ? `${shown(value)} is not a duration; write one such as 10m, 90s or 2ms`
        : `${shown(value)} must lie between ${ms(leastMs)} and 1000d`,
    );
  };
}

/** An amount of memory in bytes from a text such as `64MB`, within these limits. A bare number is refused. */
export function memory(least: string, most: string): Value<number> {
  return (value) => {
    const isAmount = typeof value === 'string' && /^\d{1,9}(\.\d{1,3})?\s*[kmg]b$/i.test(value);
    const parsed = isAmount ? parseBytes(value) : null;
    if (parsed === null) {
      throw new Misfit(`${shown(value)} is not an amount of memory; write one such as ${least}, 512MB or 1GB`);
    }
    if (parsed >= (parseBytes(least) ?? 0) && parsed <= (parseBytes(most) ?? 0)) return parsed;
    throw new Misfit(`${shown(value)} must lie between ${least} and ${most}`);
  };
}

/** A number within these limits, both included. */
export function number(least: number, most: number, whole: boolean): Value<number> {
  return (value) => {
    const given = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
    const fits =
      typeof given === 'number' && given >= least && given <= most && (!whole || Number.isSafeInteger(given));
    if (fits) return given;
    throw new Misfit(`${shown(given)} must be a ${whole ? 'whole ' : ''}number from ${least} to ${most}`);
  };
}

/** One of these words. */
export function oneOf<T extends string>(...words: readonly T[]): Value<T> {
  return (value) => {
    if (words.includes(value as T)) return value as T;
    throw new Misfit(`${shown(value)} is not allowed; use ${words.join(', ')}`);
  };
}

/** A YAML boolean, or the word for it. */
export function truth(value: unknown): boolean {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw new Misfit(`${shown(value)} must be true or false`);
}

/** A text that is neither empty nor blank. */
export function text(what: string): Value<string> {
  return (value) => {
    if (value === undefined) throw new Misfit(`is missing; it must be ${what}`);
    // YAML reads 007 as a number: which text was meant is gone by then.
    if (typeof value !== 'string') throw new Misfit(`${shown(value)} must be ${what}, in quotes`);
    if (!/\S/.test(value)) throw new Misfit(`must be ${what}, not empty`);
    return value;
  };
}

/** A text that no sentence repeats. */
export function secret(what: string): Value<string> {
  return (value) => {
    if (typeof value === 'string' && /\S/.test(value)) return value;
    throw new Misfit(`must be ${what} in quotes, and not empty`);
  };
}

/** An address that can be connected to, in a scheme of Redis; no sentence repeats its password. */
export function redisUrl(value: unknown): string {
  const url = text('a Redis URL')(value);
  const complaint = urlComplaint(url);
  if (complaint !== null) throw new Misfit(complaint);
  return inRedisScheme(url);
}

/** What keys may begin with: no wildcard of a pattern, no space, and braces only as one pair. */
const KEY_PREFIX = /^(?=.{1,64}$)[\w.:-]*(\{[\w.:-]+\})?[\w.:-]*$/;

/** What names of keys begin with. */
export function keyPrefix(value: unknown): string {
  const prefix = text('a prefix of key names such as "{team-a}"')(value);
  if (KEY_PREFIX.test(prefix)) return prefix;
  throw new Misfit(
    `${shown(prefix)} is no prefix of key names; use up to 64 letters, digits, ".", ":", "_" and "-", in braces on Redis Cluster`,
  );
}

/** Who signs in over HTTP, where a colon ends the name and begins the password: with one in it nobody could. */
export function userName(value: unknown): string {
  const name = text('a user name')(value);
  if (name.includes(':')) throw new Misfit(`${shown(name)} must be a user name without ":"`);
  return name;
}

/** Why a pattern that the library takes is none for a schedule; `null` where it is one. */
function cronComplaint(pattern: string): string | null {
  const fields = pattern.trim().split(/\s+/);
  if (fields[0]?.startsWith('@')) return null;
  // The library puts others before those that are there: of "30 2" it would make each minute of some days.
  if (fields.length < 5) return `it has ${fields.length} of 5 fields`;
  return fields.some((field) => /(?<![a-z])h(?![a-z])/i.test(field)) ? 'H is drawn anew with each look' : null;
}

/** A cron pattern, with or without seconds. */
export function cron(value: unknown): string {
  const pattern = text('a cron pattern such as "*/5 * * * *"')(value);
  const complaint = cronComplaint(pattern);
  if (complaint !== null) {
    throw new Misfit(`${shown(pattern)} is not a cron pattern (${complaint}); write one such as "*/5 * * * *"`);
  }
  // Loaded when first needed, which is where there is a pattern: it is larger than all else here.
  const { CronExpressionParser } = require('cron-parser') as typeof import('cron-parser');
  try {
    CronExpressionParser.parse(pattern);
    return pattern;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Misfit(`${shown(pattern)} is not a cron pattern (${why}); write one such as "*/5 * * * *"`);
  }
}

/** A time zone that this Node.js knows. */
export function timeZone(value: unknown): string {
  const zone = text('a time zone such as Europe/Vienna')(value);
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return zone;
  } catch {
    throw new Misfit(`${shown(zone)} is not a time zone; use one such as Europe/Vienna or UTC`);
  }
}

export interface Kept {
  readonly ageMs: number;
  readonly count: number;
}

function kept(age: string, count: number): Value<Kept> {
  const parts = fields({ age: duration(1000), count: number(1, 1_000_000, true) }, `age: ${age}`);
  return (value) => {
    const given = parts(value);
    return { ageMs: given.age ?? ms(age as StringValue), count: given.count ?? count };
  };
}

const keptCompleted = kept('7d', 1000);
const keptFailed = kept('30d', 5000);
const keptBoth = fields({ completed: keptCompleted, failed: keptFailed }, 'completed: { age: 7d }');

/** How long finished runs are kept. */
export function history(value: unknown): { readonly completed: Kept; readonly failed: Kept } {
  const { completed = keptCompleted({}), failed = keptFailed({}) } = keptBoth(value);
  return { completed, failed };
}

const ledgerParts = fields(
  { age: duration(60_000), size: memory('1MB', '10GB'), detail: oneOf('ids', 'keys') },
  'age: 90d',
);

/** How much of what was done stays known. */
export function ledger(value: unknown): {
  readonly ageMs: number;
  readonly sizeBytes: number;
  readonly detail: 'ids' | 'keys';
} {
  const given = ledgerParts(value);
  return {
    ageMs: given.age ?? ms('90d'),
    sizeBytes: given.size ?? (parseBytes('64MB') as number),
    detail: given.detail ?? 'ids',
  };
}

const nameList = listOf(text('a family name'), (value) => `${shown(value)} must be a list such as [ack, signal]`);

/** A list of families; in one text as in `listInText`. */
export function names(value: unknown): string[] {
  return nameList(listInText(value));
}

const patternList = listOf(text('an id'), (value) => `${shown(value)} must be a list such as [c42, "leader-*"]`);

/** A list of ids, in which `*` stands for anything; in one text as in `listInText`. */
export function patterns(value: unknown): string[] {
  return patternList(listInText(value));
}

const suddenParts = fields({ fraction: number(0, 1, false), from: number(1, 1_000_000, true) }, 'fraction: 0.5');

/** When too many fall silent together; in one text as `0.5,20`. `false` for never. */
export function suddenSilence(value: unknown): { readonly fraction: number; readonly from: number } | false {
  if (value === false || value === 'false') return false;
  const [, fraction, from] = (typeof value === 'string' && /^\s*([\d.]+)\s*,\s*(\d+)\s*$/.exec(value)) || [];
  if (typeof value === 'string' && fraction === undefined) {
    throw new Misfit(`${shown(value)} must be false, or a share and a count such as 0.5,20`);
  }
  const given = suddenParts(typeof value === 'string' ? { fraction, from } : value);
  return { fraction: given.fraction ?? 0.5, from: given.from ?? 20 };
}
