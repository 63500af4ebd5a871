import { execFile, spawnSync } from 'node:child_process';
import { cpSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { DockerfileParser, Label } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NODE_OPTIONS } from '../bench/program.ts';
import { start } from '../support/cli.ts';
import { folder } from '../support/files.ts';
import { populate } from '../support/populate.ts';
import { startRedis } from '../support/redis.ts';
import { CLI_COMMANDS, exists, PACKAGE, PROGRAM, ROOT, read } from './project.ts';

const dockerfile = DockerfileParser.parse(read('Dockerfile'));

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

const instructions: readonly Instruction[] = dockerfile.getInstructions().map((instruction) => ({
  name: instruction.getKeyword(),
  rest: instruction.getArgumentsContent()?.replace(/\\\n\s*/g, '') ?? '',
}));
function all(name: string): string[] {
  return instructions.filter((one) => one.name === name).map(({ rest }) => rest);
}
const finalStage = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));
function list(text: string): string[] {
  return JSON.parse(text.slice(text.indexOf('['))) as string[];
}

interface Copied {
  /** The stage it is made in. */
  readonly into: string;
  /** The stage it comes from; `null`: this folder. */
  readonly from: string | null;
  readonly files: readonly string[];
  readonly to: string;
}

const stageNames = dockerfile.getFROMs().map((from) => from.getBuildStage() ?? 'final');
const copies: readonly Copied[] = dockerfile.getCOPYs().map((copy) => {
  const names = copy.getArguments().map((argument) => argument.getValue());
  const stage = dockerfile.getFROMs().findLastIndex((from) => from.getRange().start.line < copy.getRange().start.line);
  return {
    into: stageNames[stage] ?? '',
    from: copy.getFromFlag()?.getValue() ?? null,
    files: names.slice(0, -1),
    to: names.at(-1) ?? '',
  };
});
const copiedFromHere = copies.flatMap(({ from, files }) => (from === null ? files : []));
const healthcheck = list(all('HEALTHCHECK')[0] ?? '[]');

/** Makes the folder of the final stage as the image's is; what npm and the compiler bring is this project's own. */
async function makeFinal(): Promise<string> {
  const root = await folder();
  for (const { into, from, files, to } of copies) {
    if (into !== 'final' || from === 'dependencies') continue;
    for (const file of files.map((name) => name.replace(/^\/app\//, '')))
      cpSync(join(ROOT, file), to.endsWith('/') ? join(root, to, basename(file)) : join(root, to), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  return root;
}

/** Whether the healthcheck of the image calls a container with this environment healthy. */
function isHealthy(env: Record<string, string>): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(process.execPath, healthcheck.slice(1), { env }, (error) => resolve(error === null));
  });
}

async function serve(status: number): Promise<string> {
  const server: Server = createServer((request, response) => {
    response.writeHead(request.url === '/healthz' ? status : 404).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return String((server.address() as AddressInfo).port);
}

describe('the image', () => {
  test('is described in instructions that exist, and none that is wrong or deprecated', () => {
    expect(validate(read('Dockerfile'))).toEqual([]);
    expect(validate('FROM node\nCOYP a b').map(({ message }) => message)).toEqual(['Unknown instruction: COYP']);
  });

  test('says what it is, of which version, under which licence, on what it stands', () => {
    const labels = Object.fromEntries(
      dockerfile
        .getInstructions()
        .flatMap((one) =>
          one instanceof Label ? one.getProperties().map((label) => [label.getName(), label.getValue()]) : [],
        ),
    );
    const [base] = dockerfile.getFROMs().toReversed();
    const named = (name: string) => labels[`org.opencontainers.image.${name}`];
    expect(named('title')).toBe(PACKAGE.name);
    expect(named('version')).toBe(PACKAGE.version);
    expect(named('description')).toBe(PACKAGE.description);
    expect(named('licenses')).toBe(PACKAGE.license);
    expect(named('base.name')).toBe(`docker.io/library/${base?.getImage()}`);
    for (const given of ['REVISION', 'SOURCE']) {
      expect(named(given.toLowerCase())).toBe(`$${given}`);
      expect(all('ARG').map((rest) => rest.split('=')[0])).toContain(given);
    }
  });

  test('builds from all that the compiler is told to read', () => {
    const build = copies.filter(({ into, from }) => into === 'build' && from === null).flatMap(({ files }) => files);
    const files = [/tsc -p (\S+)/.exec(PACKAGE.scripts.build ?? '')?.[1] ?? ''];
    for (const file of files) {
      const settings = JSON.parse(read(file)) as { readonly extends?: string; readonly include?: readonly string[] };
      if (settings.extends !== undefined) files.push(basename(settings.extends));
      expect(build).toContain(file);
      if (file === files[0]) expect(settings.include?.filter((name) => !build.includes(name))).toEqual([]);
    }
    expect(files.length).toBeGreaterThan(1);
  });

  test('holds all that its program needs: put together as it says, it cleans and shows its pages', async () => {
    const final = await makeFinal();
    const server = await startRedis();
    onTestFinished(async () => await server.stop());
    const env = { REDIS_URL: server.url, STALESWEEP_PORT: '0', NODE_ENV: 'production' };
    await populate(env, 20, 10);
    const [program = '', main = ''] = list(all('ENTRYPOINT')[0] ?? '');
    expect(program).toBe('node');
    const served = start(list(all('CMD')[0] ?? ''), env, final, undefined, join(final, main));
    await served.says('"swept":10');
    const [, url = ''] = /dashboard: (http:\S+)/.exec(served.stdout()) ?? [];
    const page = await (await fetch(url)).text();
    const [, style = ''] = /href="([^"]+\.css)"/.exec(page) ?? [];
    expect((await fetch(new URL(style, url))).status).toBe(200);
    expect((await served.kill('SIGTERM')).code).toBe(0);
  });

  test.each([...new Set(copiedFromHere)])('is built from %s, which exists', (path) => {
    expect(exists(path)).toBe(true);
  });

  test('can see what it copies, and nothing else: .dockerignore allows exactly that', () => {
    const rules = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(rules[0]).toBe('*');
    expect(rules.slice(1).sort()).toEqual([...new Set(copiedFromHere)].map((path) => `!${path}`).sort());
  });

  test('runs npm scripts that exist', () => {
    const scripts = all('RUN').flatMap((rest) =>
      [...rest.matchAll(/npm run (\S+)/g)].map(([, script]) => script ?? ''),
    );
    expect(scripts).toContain('build');
    for (const script of scripts) expect(Object.keys(PACKAGE.scripts)).toContain(script);
  });

  test('installs from the lockfile, runs no install scripts, and ships no development dependency', () => {
    const installs = all('RUN').filter((rest) => /npm (ci|i|install)\b/.test(rest));
    for (const install of installs) expect(install).toMatch(/^npm ci .*--ignore-scripts$/);
    expect(installs.at(-1)).toContain('--omit=dev');
    expect(copies.find(({ into, to }) => into === 'final' && to.includes('node_modules'))?.from).toBe('dependencies');
  });

  test("starts this project's program with a command that it has", () => {
    expect(list(all('ENTRYPOINT')[0] ?? '')).toEqual(['node', PROGRAM.built]);
    expect(PACKAGE.bin.stalesweep).toBe(PROGRAM.built);
    expect(exists(PROGRAM.source)).toBe(true);
    expect(CLI_COMMANDS).toContain(list(all('CMD')[0] ?? '')[0]);
  });

  test('runs Node.js with the options of `npm start` and of the benchmark, which it takes', () => {
    const options = /NODE_OPTIONS=(\S+)/.exec(finalStage.map(({ rest }) => rest).join('\n'))?.[1] ?? '';
    expect(PACKAGE.scripts.start).toBe(`exec node ${options} workers/npmStart.mjs`);
    expect(NODE_OPTIONS.join(' ')).toBe(options);
    expect(spawnSync(process.execPath, ['-e', ''], { env: { NODE_OPTIONS: options } }).status).toBe(0);
  });

  test('does not run as root', () => {
    expect(finalStage.filter(({ name }) => name === 'USER')).toEqual([{ name: 'USER', rest: 'node' }]);
  });

  test('builds on one pinned version of Node, the one the project is developed on', () => {
    const bases = new Set(all('FROM').map((rest) => rest.split(' ')[0] ?? ''));
    expect(bases.size).toBe(1);
    for (const base of bases) expect(base).toMatch(new RegExp(`^node:${read('.nvmrc').trim()}\\.\\d+\\.\\d+-`));
  });
});

describe('the healthcheck', () => {
  test('calls a dashboard healthy on its own port', async () => {
    expect(await isHealthy({ STALESWEEP_PORT: await serve(200) })).toBe(true);
  });

  test('calls a worker healthy on its metrics port', async () => {
    expect(await isHealthy({ STALESWEEP_METRICS_PORT: await serve(200), STALESWEEP_PORT: '1' })).toBe(true);
  });

  test('calls a process unhealthy that answers with an error', async () => {
    expect(await isHealthy({ STALESWEEP_PORT: await serve(503) })).toBe(false);
  });

  test('calls a process unhealthy that does not answer', async () => {
    expect(await isHealthy({ STALESWEEP_PORT: '1' })).toBe(false);
  });
});
