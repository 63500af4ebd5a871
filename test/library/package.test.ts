import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { environment } from '../support/cli.ts';
import { useRedis } from '../support/leaks.ts';
import { keysIn, STALE } from '../support/world.ts';

const ROOT = join(import.meta.dirname, '../..');
const MOST_BYTES = 600_000;

interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const call = promisify(execFile);
const server = useRedis();
let project = '';

/** A project beside this one in which the packed package is installed, as far as that goes without a registry. */
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'stalesweep-package-'));
  await call('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', project], { cwd: ROOT });
  const [tarball = ''] = readdirSync(project);
  const own = join(project, 'node_modules', 'stalesweep');
  mkdirSync(own, { recursive: true });
  await call('tar', ['-xzf', join(project, tarball), '-C', own, '--strip-components', '1']);
  const { dependencies } = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8')) as Manifest;
  for (const name of [...Object.keys(dependencies), '@types/node', 'typescript']) {
    const link = join(project, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link);
  }
  cpSync(join(ROOT, 'examples'), project, { recursive: true });
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
});
afterAll(async () => {
  await rm(project, { recursive: true, force: true });
});

async function node(...args: string[]): Promise<string> {
  const env = environment({ REDIS_URL: server.current.url });
  // What went wrong stands on either stream.
  const { stdout } = await call(process.execPath, args, { cwd: project, env }).catch((error) => {
    throw new Error(`${error.stdout}${error.stderr}`);
  });
  return stdout;
}

test('the package is at most 600 KB, with a licence, types and no test', () => {
  const tarball = readdirSync(project).find((name) => name.endsWith('.tgz')) ?? '';
  expect(statSync(join(project, tarball)).size).toBeLessThan(MOST_BYTES);
  const files = readdirSync(join(project, 'node_modules/stalesweep'), { recursive: true }).map(String);
  expect(files).toEqual(
    expect.arrayContaining(['LICENSE', 'README.md', 'dist/src/library/index.d.ts', 'lua/sweep.lua']),
  );
  expect(files.filter((name) => /(^|\/)(test|node_modules)(\/|$)|\.test\.[jt]s/.test(name))).toEqual([]);
});

test('its command runs', async () => {
  const own = join(project, 'node_modules/stalesweep');
  const { bin } = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8')) as Manifest;
  const printed = await node(join(own, bin.stalesweep ?? ''), 'doctor', '--json');
  expect(JSON.parse(printed)).toContainEqual(expect.objectContaining({ check: 'connection', status: 'ok' }));
});

test('its types hold under strict, with every file checked', async () => {
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--skipLibCheck', 'false'];
  const target = ['--target', 'es2022', '--module', 'nodenext', '--types', 'node', '--noEmit'];
  await node(join(ROOT, 'node_modules/typescript/bin/tsc'), ...strict, ...target, 'types.ts');
});

describe('each example does what it says', () => {
  const shown: Record<string, (printed: string) => Promise<void> | void> = {
    'sweep.mjs': async (printed) => {
      expect(printed).toMatch(/^c1: 6\d\d s/);
      expect(printed).toContain('1 of 1 are stale\ncompleted: 1 swept, 2 keys\n');
      expect((await keysIn(server.current.redis)).filter((key) => key.includes('blocking'))).toEqual([]);
    },
    'heartbeat.mjs': async (printed) => {
      expect(printed).toBe('beating as swarm:team-7:blocking:heartbeat:coordinator-1\nleft\n');
      expect(await keysIn(server.current.redis)).toHaveLength(2);
    },
    'schema.mjs': (printed) => {
      expect(printed).toBe(
        'would go: { heartbeat: 1, mailbox: 1, locks: 1 }\n1 swept, 1 active\nleft: agents:a1:beat lock:a1\n',
      );
    },
    'worker.mjs': (printed) => {
      expect(printed).toContain('completed: 0 stale, 0 keys would go');
    },
  };

  test('all of them', () => {
    expect(Object.keys(shown).sort()).toEqual(
      readdirSync(join(ROOT, 'examples')).filter((name) => name.endsWith('.mjs')),
    );
  });

  test.each(Object.entries(shown))('%s', async (name, holds) => {
    const { redis } = server.current;
    const at = Number((await redis.time())[0]) * 1000 - STALE * 1000;
    await redis.set('blocking:heartbeat:c1', JSON.stringify({ timestamp: at }));
    await redis.set('blocking:signal:c1', '1');
    await holds(await node(name));
  });
});
