import { CommanderError } from 'commander';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Exit, fail } from '../../src/cli/command.ts';
import { createProgram } from '../../src/cli/program.ts';
import { Failure } from '../../src/domain/failure.ts';
import { cli } from '../support/cli.ts';
import { anyText } from '../support/text.ts';

// Nobody listens there: what gets past its arguments ends at the connection.
const NOWHERE = 'redis://127.0.0.1:1';

beforeEach(() => {
  vi.stubEnv('REDIS_URL', NOWHERE);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** What the command line does with these arguments, as its `main` does it. */
async function outcomeOf(args: readonly string[]): Promise<{ code: number; said: readonly string[] }> {
  const said: string[] = [];
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  const print = vi.spyOn(console, 'error').mockImplementation((text) => said.push(`${text}\n`) > 0);
  const out = vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  try {
    await createProgram().parseAsync(args, { from: 'user' });
    return { code: 0, said };
  } catch (error) {
    if (error instanceof CommanderError) return { code: error.exitCode === 0 ? 0 : 2, said };
    // `doctor` says on standard output what is wrong.
    if (!(error instanceof Exit)) expect(error).toBeInstanceOf(Failure);
    return { code: fail(error), said };
  } finally {
    for (const spy of [write, print, out]) spy.mockRestore();
  }
}

const COMMANDS = ['run', 'enqueue', 'schedule', 'history', 'doctor', 'populate'];
const FLAGS = [
  '--target',
  '--dry-run',
  '--stale-after',
  '--force',
  '--json',
  '--wait',
  '--limit',
  '--coordinators',
  '--stale',
  '--acks',
  '--schema',
  '--call-budget',
  '--nice',
  '--config',
  '--',
];
const VALUES = [
  'default',
  '__proto__',
  '10m',
  '1s',
  '0',
  '-1',
  '1e9',
  '99999999999',
  'flat',
  'constructor',
  '',
  '.',
  '\n',
];

test('whatever the arguments, it ends with 0, 1 or 2 and at most one sentence', async () => {
  const word = fc.oneof(fc.constantFrom(...FLAGS), fc.constantFrom(...VALUES), anyText({ maxLength: 8 }));
  const args = fc.tuple(
    fc.oneof(fc.constantFrom(...COMMANDS), fc.constantFrom('', 'rum', '-')),
    fc.array(word, { maxLength: 6 }),
  );
  await fc.assert(
    fc.asyncProperty(args, async ([command, rest]) => {
      const { code, said } = await outcomeOf([command, ...rest]);
      expect([0, 1, 2]).toContain(code);
      const text = said.join('');
      expect(text).not.toMatch(/ {4}at |TypeError|RangeError/);
      // Without a command it prints its help, which has many lines.
      if (code !== 0 && !text.startsWith('Usage:')) {
        expect(text.split('\n').filter((line) => line !== '').length).toBeLessThanOrEqual(1);
        expect(text).toMatch(/^(stalesweep: |$)/);
      }
    }),
    { numRuns: 150 },
  );
});

const WRONG = [
  ['run', '--stale-after', '1000000d'],
  ['run', '--stale-after', '-5m'],
  ['run', '--target', '__proto__'],
  ['run', '--schema', 'constructor'],
  ['run', 'extra'],
  ['populate', '--coordinators', '1e3', '--stale', '0'],
  ['history', '--limit', '99999999999999999999'],
  ['worker', '--concurrency', '1.5'],
  ['start', '--port', '65536'],
  ['dashboard', '--host', ''],
  ['run', '--config', '/'],
  ['run', '--config', '/dev/zero'],
  ['run', '--config', ' '],
  [`--${'x'.repeat(50_000)}`],
];

test.each(WRONG.map((args) => [args]))('%.60j ends with exit code 2 and one line', async (args) => {
  const { code, said } = await outcomeOf(args);
  expect(code).toBe(2);
  expect(said.join('')).toMatch(/^stalesweep: [^\n]+\n$/);
});

test.each([
  ['the first of them', WRONG[0] ?? []],
  ['the longest', WRONG.at(-1) ?? []],
])('a real process answers %s so, and prints nothing', async (_, args) => {
  const { code, stdout, stderr } = await cli(args, { REDIS_URL: NOWHERE });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^stalesweep: [^\n]+\n$/);
});
