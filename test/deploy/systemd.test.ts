import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CLI_COMMANDS, read } from './project.ts';

const FOLDER = 'deploy/systemd';
/** What `systemd-analyze security` calls its exposure, in tenths: 20 and less is "ok". */
const MOST_EXPOSED = 20;

/** What it says; `null` where there is no systemd. */
function analyze(...args: string[]): { readonly status: number | null; readonly said: string } | null {
  const { error, status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  return error === undefined ? { status, said: `${stdout}${stderr}` } : null;
}

describe.each(readdirSync(FOLDER))('%s', (name) => {
  const unit = read(`${FOLDER}/${name}`);

  test('starts a command that exists, again and again, as nobody who may do anything', () => {
    const [, command = ''] = /^ExecStart=\/usr\/bin\/env stalesweep (\w+)$/m.exec(unit) ?? [];
    expect(CLI_COMMANDS).toContain(command);
    expect(name).toBe(`stalesweep-${command}.service`);
    for (const line of [
      'Restart=always',
      'DynamicUser=yes',
      'NoNewPrivileges=yes',
      'CapabilityBoundingSet=',
      'ProtectSystem=strict',
    ])
      expect(unit.split('\n')).toContain(line);
  });

  test('is one that systemd, where it is there, understands and finds well fenced', () => {
    expect(analyze('verify', '--man=no', `${FOLDER}/${name}`) ?? { status: 0, said: '' }).toEqual({
      status: 0,
      said: '',
    });
    const fenced = analyze('security', '--offline=yes', `--threshold=${MOST_EXPOSED}`, `${FOLDER}/${name}`);
    expect(fenced?.status ?? 0, fenced?.said ?? '').toBe(0);
  });
});
