import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { SETTINGS_ENV } from '../../src/config/settings/settings.ts';
import { command } from '../support/command.ts';
import { useRedis } from '../support/leaks.ts';
import { settle, STALE } from '../support/world.ts';
import { ROOT } from '../docs/kept.ts';

interface Line {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true }).map((name) => `docs/${String(name)}`),
].filter((name) => name.endsWith('.md'));

/** What a page tells its readers to type, as words; of what stands behind `|`, `#` or `;` nothing. */
function linesOf(page: string): Line[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  // In a console's block what was typed stands behind a prompt, and what was printed without one.
  const blocks = [...text.matchAll(/^```(sh|console)\n([\s\S]*?)^```/gm)];
  const typed = blocks.flatMap(([, kind, block = '']) =>
    block.split('\n').flatMap((line) => (kind === 'sh' ? line : line.startsWith('$ ') ? line.slice(2) : [])),
  );
  return typed.flatMap((whole) => {
    const line = whole.replace(/\s+[#|;].*$/, '');
    const [, assigned = '', rest] = /^((?:[A-Z_]+=\S+ )*)(?:npx )?stalesweep (.+)$/.exec(line) ?? [];
    if (rest === undefined) return [];
    const env = assigned
      .split(' ')
      .filter(Boolean)
      .map((one) => one.split('=') as [string, string]);
    return [{ args: rest.split(' '), env: Object.fromEntries(env) }];
  });
}

const all = PAGES.flatMap(linesOf);
const unique = [...new Map(all.map((line) => [JSON.stringify(line), line])).values()];
function nameOf({ args }: Line): string {
  return `stalesweep ${args.join(' ')}`;
}
/** They go on until they are stopped; elsewhere they are shown to run. */
const STAY = ['start', 'worker', 'dashboard', 'demo'];
/** Waiting takes a worker. */
function withoutWaiting(args: readonly string[]): string[] {
  return args.filter((arg) => arg !== '--wait');
}

const server = useRedis();

describe('what the pages tell their readers to type', () => {
  test('is something', () => {
    expect(unique.length).toBeGreaterThan(15);
    for (const { env } of unique)
      for (const name of Object.keys(env)) expect([...SETTINGS_ENV, 'NODE_OPTIONS']).toContain(name);
  });

  test.each(unique.map((line) => [nameOf(line), line] as const))('%s', async (_, { args, env }) => {
    const [name = ''] = args;
    if (STAY.includes(name)) {
      const known = createProgram()
        .commands.find((one) => one.name() === name)
        ?.options.map(({ long }) => long);
      expect(known).toEqual(expect.arrayContaining(args.filter((arg) => arg.startsWith('--'))));
      return;
    }
    await settle(server.current.redis, 'coordinator-7', STALE);
    const { code, stdout, stderr } = await command(withoutWaiting(args), { REDIS_URL: server.current.url, ...env });
    // 1: that there is nothing to restore or to stop here is for the command to say; 2 would be a wrong page.
    expect([0, 1], stderr).toContain(code);
    expect(stdout + stderr).not.toBe('');
  });
});
