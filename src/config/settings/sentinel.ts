/** sentinel: as whom to enter at sentinels, which have users of their own: in the file under `sentinel`, or a variable each. */
import { fields } from '../values/shape.ts';
import { secret, text } from '../values/values.ts';
import type { Level, Setting } from './setting.ts';

/** What is missing is not said: then sentinels are asked without it. */
export interface SentinelEntry {
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

const user = text('the name of a user');
const password = secret('a password');

/** The variables; in the file the same stands under `sentinel`: at the top, under one target, or under `queue`. */
export const SENTINEL_SETTINGS = {
  sentinelUser: {
    schema: user,
    env: 'STALESWEEP_SENTINEL_USER',
    about: 'As whom to enter at the sentinels of a `redis+sentinel://` address. Unset: as nobody in particular.',
  },
  sentinelPassword: {
    schema: password,
    env: 'STALESWEEP_SENTINEL_PASSWORD',
    about: 'The password for that; the one in the address is for the servers that hold the keys.',
  },
} as const satisfies Record<string, Setting>;

/** What stands under `sentinel` in the file. */
export const sentinelFields = fields({ user, password }, 'password: "…"');

/** What the variables say over what the file says, its own place before the top; `undefined` where nobody says anything. */
export function sentinelOf(env: Level, ...file: readonly (SentinelEntry | undefined)[]): SentinelEntry | undefined {
  const fromEnv: SentinelEntry = {
    user: env.sentinelUser as string | undefined,
    password: env.sentinelPassword as string | undefined,
  };
  const levels = [fromEnv, ...file];
  const settled = {
    user: levels.find((level) => level?.user !== undefined)?.user,
    password: levels.find((level) => level?.password !== undefined)?.password,
  };
  return settled.user === undefined && settled.password === undefined ? undefined : settled;
}
