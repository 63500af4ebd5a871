/** script: a Lua file from `lua/`, called by its hash. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Calls, Reply } from './calls.ts';

const { resolve } = createRequire(import.meta.url);

export interface Script {
  readonly name: string;
  readonly source: string;
  readonly sha1: string;
}

export const loadScript = (name: string): Script => {
  const source = readFileSync(resolve(`#root/lua/${name}.lua`), 'utf8');
  return { name, source, sha1: createHash('sha1').update(source).digest('hex') };
};

/** Calls the script; a server that does not know it (new, restarted, flushed) is sent its source once. */
export const callScript = async (
  calls: Calls,
  script: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<{ reply: Reply; ms: number }> => {
  try {
    return await calls.send('evalsha', [script.sha1, keys.length, ...keys, ...args]);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return await calls.send('eval', [script.source, keys.length, ...keys, ...args]);
  }
};
