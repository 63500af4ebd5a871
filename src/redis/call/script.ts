/** script: a Lua file from `lua/`, called by its hash. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Bulk } from './bulk.ts';
import type { Argument } from './wire.ts';
import type { Answer, Calls } from './calls.ts';
import { saidIn } from '../rights/refusals.ts';

const { resolve } = createRequire(import.meta.url);

export interface Script {
  readonly name: string;
  readonly source: string;
  readonly sha1: string;
}

export function loadScript(name: string): Script {
  const source = readFileSync(resolve(`#root/lua/${name}.lua`), 'utf8');
  return { name, source, sha1: createHash('sha1').update(source).digest('hex') };
}

/** Calls the script; a server that does not know it (new, restarted, flushed) is sent its source once. */
export async function callScript(
  calls: Calls,
  script: Script,
  keys: readonly Bulk[],
  args: readonly Argument[],
): Promise<Answer> {
  const count = keys.reduce((sum, bulk) => sum + bulk.count, 0);
  try {
    return await calls.send('evalsha', [script.sha1, count, ...keys, ...args]);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return await calls.send('eval', [script.source, count, ...keys, ...args]);
  }
}

/** Redis says that scripts can't be called at all: by this user, or by anyone. */
const REFUSED = /^(NOPERM|ERR unknown command)\b.*?['`](eval|evalsha)['`]/is;
/** Servers whose scripts may do less than ours do, who say so only when one comes: nothing of it was done. */
const NOT_OURS = /bad lua script|undeclared key|not allowed from script/i;

/** Why scripts can't be called at all, as this error tells it; `null` when it tells of something else. */
export function scriptRefusal(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if (NOT_OURS.test(error.message)) return saidIn(error);
  const [, what, command = ''] = REFUSED.exec(error.message) ?? [];
  if (what === undefined) return null;
  return `${what === 'NOPERM' ? 'the user may not run' : 'the server does not know'} ${command.toUpperCase()}`;
}
