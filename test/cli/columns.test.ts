import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { renderReport } from '../../src/cli/render.ts';
import { table } from '../../src/cli/table.ts';
import { wrap } from '../../src/cli/wrap.ts';
import { sweep } from '../../src/library/index.ts';
import { command } from '../support/command.ts';
import { configFile } from '../support/files.ts';
import { useRedis } from '../support/leaks.ts';
import { settle, STALE } from '../support/world.ts';

const server = useRedis();
const longest = (text: string): number => Math.max(...text.split('\n').map((line) => [...line].length));
const LONG = 'a-target-with-a-name-as-long-as-names-may-be-and-that-is-64-long';

test('every list fits 80 columns, however long the names are', async () => {
  const { redis, url } = server.current;
  await settle(redis, 'c1', STALE);
  await sweep({ redis: url, target: LONG });
  const file = await configFile(
    JSON.stringify({ targets: { [LONG]: { url, cron: '*/15 8-18 * * 1-5', tz: 'America/Argentina/Buenos_Aires' } } }),
  );
  const env = { STALESWEEP_CONFIG: file };
  for (const args of [
    ['history'],
    ['schedule'],
    ['status'],
    ['doctor'],
    ['run', '--dry-run', '--list'],
    ['explain', 'c1'],
  ]) {
    const { stdout } = await command(args, env);
    expect(stdout.trim(), args.join(' ')).not.toBe('');
    expect(longest(stdout), `${args.join(' ')}\n${stdout}`).toBeLessThanOrEqual(80);
  }
  for (const one of createProgram().commands)
    expect(longest((await command([one.name(), '--help'], {})).stdout)).toBeLessThanOrEqual(80);
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
  expect(
    longest(renderReport({ ...report, coordinators: { ...report.coordinators, ...coordinators }, keys })),
  ).toBeLessThanOrEqual(80);
});
