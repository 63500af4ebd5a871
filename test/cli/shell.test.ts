import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { command } from '../support/command.ts';
import { folder } from '../support/files.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
const commands = createProgram().commands;

async function scriptFor(shell: string): Promise<string> {
  return (await command(['completion', shell], {})).stdout;
}

/** What bash offers for the last of these words, the way it asks: by the words, and which of them is being written. */
function offered(file: string, words: readonly string[]): string[] {
  const ask = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _stalesweep; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const printed = execFileSync('bash', ['-euc', ask, 'bash', file, ...words], { encoding: 'utf8' });
  return printed.split('\n').filter((word) => word !== '');
}

describe('completion', () => {
  test('bash is offered every command, every flag of each, and the values that are known', async () => {
    const file = join(await folder(), 'completion.bash');
    writeFileSync(file, await scriptFor('bash'));
    const names = commands.map((one) => one.name());
    expect(offered(file, ['stalesweep', ''])).toEqual(expect.arrayContaining([...names, '--help', '--version']));
    for (const one of commands) {
      const flags = one.options.map(({ long }) => long ?? '');
      expect(offered(file, ['stalesweep', one.name(), '-']).sort()).toEqual([...flags, '--help'].sort());
    }
    expect(offered(file, ['stalesweep', 'r'])).toEqual(['run', 'restore']);
    expect(offered(file, ['stalesweep', 'run', '--dry'])).toEqual(['--dry-run']);
    expect(offered(file, ['stalesweep', 'run', '--schema', 'f'])).toEqual(['flat']);
    expect(offered(file, ['stalesweep', 'history', '--outcome', 're'])).toEqual(['refused']);
    expect(offered(file, ['stalesweep', 'run', '--config', file.slice(0, -1)])).toEqual([file]);
    expect(offered(file, ['stalesweep', 'run', '--target', ''])).toEqual([]);
    expect(offered(file, ['stalesweep', 'completion', ''])).toEqual(expect.arrayContaining([...SHELLS]));
    expect(offered(file, ['stalesweep', 'nonsense', ''])).toEqual([]);
  });

  test.each(SHELLS)('the script for %s names every command and flag', async (shell) => {
    const script = await scriptFor(shell);
    for (const one of commands) {
      expect(script).toContain(one.name());
      for (const { long = '' } of one.options)
        expect(script).toContain(shell === 'fish' ? `-l ${long.slice(2)} ` : long);
    }
  });

  test('fish completes commands, flags and values by its script', async () => {
    const file = join(await folder(), 'completion.fish');
    writeFileSync(file, await scriptFor('fish'));
    const asked = (line: string) => {
      const ask = 'source $argv[1]; complete -C $argv[2]';
      const printed = execFileSync('fish', ['--no-config', '-c', ask, file, line], { encoding: 'utf8' });
      return printed
        .split('\n')
        .map((one) => one.split('\t')[0])
        .filter((one) => one !== '');
    };
    expect(asked('stalesweep r').sort()).toEqual(['restore', 'run']);
    expect(asked('stalesweep run --dry')).toEqual(['--dry-run']);
    expect(asked('stalesweep history --outcome re')).toEqual(['refused']);
  });

  test('zsh takes its script for the completion of the command', async () => {
    const file = join(await folder(), 'completion.zsh');
    writeFileSync(file, await scriptFor('zsh'));
    const ask = 'autoload -Uz compinit; compinit -u -D; source $1; print -r -- $_comps[stalesweep]; which _stalesweep';
    const printed = execFileSync('zsh', ['-f', '-c', ask, 'zsh', file], { encoding: 'utf8' });
    const [name, ...shown] = printed.split('\n');
    expect(name).toBe('_stalesweep');
    expect(shown.join('\n')).toContain('--dry-run');
  });

  test('another shell is refused in a sentence', async () => {
    const { code, stderr } = await command(['completion', 'tcsh'], {});
    expect([code, stderr]).toEqual([2, expect.stringContaining('Allowed choices are bash, zsh, fish')]);
  });
});

test('--no-color is understood before and behind every command', async () => {
  for (const one of commands) {
    const { code, stdout } = await command(['--no-color', one.name(), '--no-color', '--help'], {});
    expect([one.name(), code]).toEqual([one.name(), 0]);
    expect(stdout).toContain('--no-color');
  }
});
