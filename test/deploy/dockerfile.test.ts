import { execFile, spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NODE_OPTIONS } from '../bench/program.ts';
import { CLI_COMMANDS, exists, PACKAGE, PROGRAM, read } from './project.ts';

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

const instructions: readonly Instruction[] = read('Dockerfile')
  .replace(/^#.*$/gm, '')
  .replace(/\\\n/g, '')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => {
    const [name = '', ...rest] = line.trim().split(/\s+/);
    return { name, rest: rest.join(' ') };
  });

const all = (name: string): string[] => instructions.filter((one) => one.name === name).map(({ rest }) => rest);
const finalStage = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));
const list = (text: string): string[] => JSON.parse(text.slice(text.indexOf('['))) as string[];
const copiedFromHere = all('COPY')
  .filter((rest) => !rest.startsWith('--from='))
  .flatMap((rest) => rest.split(' ').slice(0, -1));
const healthcheck = list(all('HEALTHCHECK')[0] ?? '[]');

/** Whether the healthcheck of the image calls a container with this environment healthy. */
const isHealthy = (env: Record<string, string>): Promise<boolean> =>
  new Promise((resolve) => {
    execFile(process.execPath, healthcheck.slice(1), { env }, (error) => resolve(error === null));
  });

const serve = async (status: number): Promise<string> => {
  const server: Server = createServer((request, response) => {
    response.writeHead(request.url === '/healthz' ? status : 404).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return String((server.address() as AddressInfo).port);
};

describe('the image', () => {
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
    expect(finalStage.find(({ rest }) => rest.includes('node_modules'))?.rest).toContain('--from=dependencies');
  });

  test("starts this project's program with a command that it has", () => {
    expect(list(all('ENTRYPOINT')[0] ?? '')).toEqual(['node', PROGRAM.built]);
    expect(PACKAGE.bin.stalesweep).toBe(PROGRAM.built);
    expect(exists(PROGRAM.source)).toBe(true);
    expect(CLI_COMMANDS).toContain(list(all('CMD')[0] ?? '')[0]);
  });

  test('runs Node.js with the options of `npm start` and of the benchmark, which it takes', () => {
    const options = /NODE_OPTIONS=(\S+)/.exec(finalStage.map(({ rest }) => rest).join('\n'))?.[1] ?? '';
    expect(PACKAGE.scripts.start).toBe(`node ${options} workers/npmStart.mjs`);
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
