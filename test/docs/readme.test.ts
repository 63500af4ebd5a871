import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { documentSettings } from '../../src/config/document.ts';
import { ALL_SETTINGS } from '../../src/config/settings.ts';
import { aclLine, patternsIn, WAYS } from '../../src/redis/permissions.ts';
import { targetOf } from '../support/cleanup.ts';

const README = new URL('../../README.md', import.meta.url);
const readme = readFileSync(README, 'utf8');

describe('the README', () => {
  test('lists every setting as the validation knows it', () => {
    const written = /<!-- settings -->\n([\s\S]*?)\n?<!-- \/settings -->/;
    // `UPDATE_README=1 npx vitest run test/docs` writes the table.
    if (process.env.UPDATE_README) {
      writeFileSync(README, readme.replace(written, `<!-- settings -->\n${documentSettings()}\n<!-- /settings -->`));
    }
    expect(written.exec(readFileSync(README, 'utf8'))?.[1]).toBe(documentSettings());
  });

  test('lists every command, with no flag that does not exist', () => {
    for (const command of createProgram().commands) {
      const row = readme.split('\n').find((line) => line.startsWith(`| \`stalesweep ${command.name()}`));
      expect(row, command.name()).toBeDefined();
      const known = command.options.map(({ long }) => long);
      for (const [flag] of row?.matchAll(/--[a-z-]+/g) ?? []) expect(known, command.name()).toContain(flag);
    }
  });

  test('gives the smallest ACL line for each way a run can go', () => {
    const lines = WAYS.map((way) => aclLine(targetOf('redis://localhost'), way));
    expect(readme.split('\n').filter((line) => line.startsWith('ACL SETUSER'))).toEqual(lines);
    const { schema } = targetOf('redis://localhost', { schema: 'flat' });
    expect(readme).toContain(
      `\`${patternsIn(schema)
        .map((pattern) => `~${pattern}`)
        .join(' ')}\``,
    );
  });

  test('has two commands on its first screen that need nothing before them', () => {
    const screen = readme.split('\n').slice(0, 45).join('\n');
    expect(screen).toContain('$ npm start');
    expect(screen).toContain('$ npm test');
  });
});

describe('the settings', () => {
  test.each(Object.entries(ALL_SETTINGS))('%s says in a sentence what it does', (_, { about }) => {
    expect(about).toMatch(/^[A-Z].*\.( \d is off\.)?$/);
  });
});
