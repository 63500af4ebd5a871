import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { renderReport } from '../../src/cli/output/render.ts';
import { table } from '../../src/cli/output/table.ts';
import { wrap } from '../../src/cli/output/wrap.ts';
import { sweep } from '../../src/library/index.ts';
import { command } from '../support/command.ts';
import { configFile } from '../support/files.ts';
import { useRedis } from '../support/leaks.ts';
import { settle, STALE } from '../support/world.ts';

const server = useRedis();
/** What moves the cursor of a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it begins with one.
const MOVES = /\u001b(\[[?\d]*[A-Za-z]|\d)/g;
function longest(text: string): number {
  return Math.max(
    ...text
      .replace(MOVES, '')
      .split('\n')
      .map((line) => [...line].length),
  );
}
const LONG = 'a-target-with-a-name-as-long-as-names-may-be-and-that-is-64-long';

/** What it comes to where what is printed goes to a terminal. */
async function onTerminal<T>(act: () => T | Promise<T>): Promise<T> {
  const { stdout, stderr } = process;
  const before = [stdout.isTTY, stderr.isTTY] as const;
  [stdout.isTTY, stderr.isTTY] = [true, true];
  try {
    return await act();
  } finally {
    [stdout.isTTY, stderr.isTTY] = before;
  }
}

test('every list fits 80 columns, however long the names are', async () => {
  const { redis, url } = server.current;
  await settle(redis, 'c1', STALE);
  await sweep({ redis: url, target: LONG });
  const file = await configFile(
    JSON.stringify({ targets: { [LONG]: { url, cron: '*/15 8-18 * * 1-5', tz: 'America/Argentina/Buenos_Aires' } } }),
  );
  const env = { STALESWEEP_CONFIG: file };
  for (const args of [['history'], ['schedule'], ['status'], ['run', '--dry-run', '--list'], ['explain', 'c1']]) {
    const { stdout, stderr } = await onTerminal(async () => await command(args, env));
    expect(stdout.trim(), args.join(' ')).not.toBe('');
    for (const said of [stdout, stderr]) expect(longest(said), `${args.join(' ')}\n${said}`).toBeLessThanOrEqual(80);
    if (args[0] === 'schedule') expect(stderr).toMatch(/begins once a worker starts/);
  }
  for (const args of [['enqueue'], ['stop', 'none'], ['restore', 'c1'], ['run', '--target', 'nobody-knows-this-one']]) {
    const { stderr } = await onTerminal(async () => await command(args, env));
    expect(longest(stderr), `${args.join(' ')}\n${stderr}`).toBeLessThanOrEqual(80);
    const piped = (await command(args, env)).stderr;
    for (const line of piped.trim().split('\n')) expect(line).toMatch(/^stalesweep: \S|^$/);
  }
  for (const one of [[], ...createProgram().commands.map((sub) => [sub.name()])])
    expect(longest((await command([...one, '--help'], {})).stdout)).toBeLessThanOrEqual(80);
});

test('on a terminal doctor fits 80 columns, but for what is there to be copied; for a program each finding is one line', async () => {
  const env = { REDIS_URL: server.current.url };
  const doctor = async () => (await command(['doctor', '--acl'], env)).stdout.trim().split('\n');
  const shown = await onTerminal(doctor);
  const signs = shown.filter((line) => !/^ {6}/.test(line)).map((line) => line.slice(0, 4));
  expect(signs).toEqual(signs.toSorted((a, b) => 'ok  WARNFAIL'.indexOf(a.trim()) - 'ok  WARNFAIL'.indexOf(b.trim())));
  const acl = /^ok {4}default: acl: /;
  expect(shown.filter((line) => acl.test(line))).toHaveLength(3);
  expect(longest(shown.filter((line) => !acl.test(line)).join('\n'))).toBeLessThanOrEqual(80);
  const piped = await doctor();
  for (const line of piped) expect(line).toMatch(/^(ok {4}|WARN {2}|FAIL {2}| {6}-> )\S/);
  expect(piped.join(' ').split(/\s+/)).toEqual(shown.join(' ').split(/\s+/));
});

test('a table keeps every row and column, and cuts the widest first', () => {
  const cell = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 70 });
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 5 }), (rows) => {
      const printed = table(['A', 'B', 'C'], rows);
      expect(longest(printed)).toBeLessThanOrEqual(80);
      expect(printed.split('\n')).toHaveLength(rows.length + 1);
    }),
  );
});

test('a point in time is told to the minute at least, whatever stands beside it', () => {
  const at = '2026-01-01 14:00:05';
  const cell = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 70 });
  fc.assert(
    fc.property(cell, cell, (one, other) => {
      expect(table(['A', 'AT', 'B'], [[one, at, other]])).toMatch(/ {2}2026-01-01 14:00(:05)?(?: {2}|$)/);
    }),
  );
});

test('a sentence keeps its words, and a word that is too long is whole', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 100 });
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 40 }), (words) => {
      const lines = wrap(`  ${words.join(' ')}`, '    ').split('\n');
      expect(lines.flatMap((line) => line.trim().split(' '))).toEqual(words);
      for (const line of lines) if (line.trim().includes(' ')) expect(line.length).toBeLessThanOrEqual(80);
    }),
  );
});

test('a report of very many fits too', async () => {
  const report = await sweep({ redis: server.current.url, ledger: false });
  const many = 1_234_567_890;
  const coordinators = Object.fromEntries(Object.keys(report.coordinators).map((state) => [state, many]));
  const keys = { ...report.keys, found: many, deleted: many, trashed: many, orphans: many, kept: many };
  const grown = { ...report, coordinators: { ...report.coordinators, ...coordinators }, keys };
  expect(longest(await onTerminal(() => renderReport(grown)))).toBeLessThanOrEqual(80);
});
