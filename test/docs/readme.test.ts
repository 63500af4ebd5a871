import { describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { documentSettings } from '../../src/config/settings/document.ts';
import { ALL_SETTINGS } from '../../src/config/settings/settings.ts';
import { aclLine, patternsIn, WAYS } from '../../src/redis/rights/permissions.ts';
import { targetOf } from '../support/cleanup.ts';
import { expectBlock, textOf } from './kept.ts';

const readme = textOf('README.md');

/** The ones that nobody gets by without; each other one is a click away. */
const FIRST_SETTINGS = [
  'url',
  'queueUrl',
  'config',
  'schema',
  'staleAfter',
  'every',
  'mode',
  'maxStaleFraction',
  'protect',
  'trash',
];

describe('the README', () => {
  test('lists the settings that a first day takes, as the validation knows them, and leads to all', () => {
    expectBlock('README.md', 'settings', documentSettings(FIRST_SETTINGS));
    expect(readme).toContain('](docs/reference/configuration.md)');
  });

  test('lists every command, with no flag that does not exist', () => {
    for (const command of createProgram().commands) {
      const row = readme.split('\n').find((line) => line.startsWith(`| \`stalesweep ${command.name()}`));
      expect(row, command.name()).toBeDefined();
      const known = command.options.map(({ long }) => long);
      for (const [flag] of row?.matchAll(/--[a-z-]+/g) ?? []) expect(known, command.name()).toContain(flag);
    }
  });

  test('leads to the smallest ACL line for each way a run can go', () => {
    const lines = WAYS.map((way) => aclLine(targetOf('redis://localhost'), way));
    expect(readme).toContain('](docs/rights.md)');
    const rights = textOf('docs/rights.md');
    expect(rights.split('\n').filter((line) => line.startsWith('ACL SETUSER stalesweep'))).toEqual(lines);
    const { schema } = targetOf('redis://localhost', { schema: 'flat' });
    expect(rights).toContain(
      `\`${patternsIn(schema)
        .map((pattern) => `~${pattern}`)
        .join(' ')}\``,
    );
  });

  test('has two commands on its first screen that need nothing before them', () => {
    const screen = readme.split('\n').slice(0, 45).join('\n');
    expect(screen).toMatch(/^# stalesweep\n\nFinds coordinators .*\.\n\n> \*\*Fits if\*\*\n/);
    expect(screen).toContain('$ npm start');
    expect(screen).toContain('$ npm test');
  });
});

describe('the settings', () => {
  test.each(Object.entries(ALL_SETTINGS))('%s says in a sentence what it does', (_, { about }) => {
    expect(about).toMatch(/^[A-Z].*\.( \d is off\.)?$/);
  });
});
