import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { cli, startWorker } from '../support/cli.ts';
import { configFile, folder } from '../support/files.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const { dependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  dependencies: Record<string, string>;
};

const PROGRAM = new URL('../../dist/src/cli/program.js', import.meta.url).href;

interface Loaded {
  /** Those of our dependencies that were loaded, in order of the alphabet. */
  readonly packages: readonly string[];
  /** How many of our own files were. */
  readonly files: number;
}

/** What a process loads until it ends: Node.js writes down every script it ran. */
async function loadedIn(run: (env: Record<string, string>) => Promise<unknown>): Promise<Loaded> {
  const into = await folder();
  await run({ NODE_V8_COVERAGE: into });
  const urls = readdirSync(into).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(`${into}/${file}`, 'utf8')) as { result: { url: string }[] };
    return result.map(({ url }) => url);
  });
  const packages = Object.keys(dependencies).filter((name) =>
    urls.some((url) => url.includes(`/node_modules/${name}/`)),
  );
  return { packages: packages.sort(), files: urls.filter((url) => url.includes('/dist/')).length };
}

/** What a command loads until it ends. */
async function loadedBy(args: readonly string[], more: Record<string, string> = {}): Promise<Loaded> {
  return await loadedIn(async (env) => expect((await cli(args, { ...more, ...env })).code).toBe(0));
}

let server: TestRedis;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => {
  await server.stop();
});
function env(more: Record<string, string> = {}): Record<string, string> {
  return { REDIS_URL: server.url, ...more };
}

const READERS = ['bytes', 'commander', 'ms'];
/** One for each command, and as many for the settings. */
const MOST_FILES = 39;

/** Asks for the version and each command's help, in one process: none may load more than the others. */
const EVERY_HELP = `
  const { createProgram } = await import(${JSON.stringify(PROGRAM)});
  const names = createProgram().commands.map((command) => command.name());
  for (const asked of [['--version'], ...names.map((name) => [name, '--help'])]) {
    await createProgram().parseAsync(asked, { from: 'user' }).catch(({ exitCode }) => (process.exitCode ||= exitCode));
  }`;

test('--help loads nothing but readers of the command line and of settings', async () => {
  const { packages, files } = await loadedBy(['--help']);
  expect(packages).toEqual(READERS);
  expect(files).toBeLessThan(MOST_FILES);
});

test("nor does --version, nor any command's help", async () => {
  let printed = '';
  const { packages, files } = await loadedIn(async (env) => {
    const args = ['--input-type=module', '-e', EVERY_HELP];
    printed = execFileSync(process.execPath, args, { env: { ...process.env, ...env }, encoding: 'utf8' });
  });
  expect(printed).toMatch(/^\d+\.\d+\.\d+\n/);
  for (const command of createProgram().commands) expect(printed).toContain(`Usage: stalesweep ${command.name()} `);
  expect(packages).toEqual(READERS);
  expect(files).toBeLessThan(MOST_FILES);
});

const RUN = ['bytes', 'cluster-key-slot', 'commander', 'ioredis', 'ms'];
/** BullMQ brings the reader of cron patterns. */
const QUEUE = [...RUN, 'bullmq', 'cron-parser', 'valibot'];

test.each([
  { args: ['run', '--dry-run', '--json'], more: {}, loads: RUN },
  { args: ['run'], more: { STALESWEEP_CRON: '0 3 * * *' }, loads: [...RUN, 'cron-parser'] },
  { args: ['populate', '--coordinators', '1', '--stale', '0', '--force'], more: {}, loads: RUN },
  { args: ['history', '--json'], more: {}, loads: QUEUE },
  { args: ['schedule'], more: {}, loads: [...QUEUE, 'cli-table3'] },
])('$args with $more loads $loads', async ({ args, more, loads }) => {
  expect((await loadedBy(args, env(more))).packages).toEqual(loads.toSorted());
});

test('a file brings the reader of YAML, and nothing else', async () => {
  const file = await configFile('staleAfter: 10m');
  expect((await loadedBy(['run'], env({ STALESWEEP_CONFIG: file }))).packages).toEqual([...RUN, 'yaml']);
});

test('a worker that serves nothing loads no pages, and one that sends no traces nothing that makes them', async () => {
  const { packages } = await loadedIn(async (more) => {
    const worker = await startWorker(env({ STALESWEEP_CRON: '0 0 1 1 *', ...more }));
    expect((await worker.kill('SIGTERM')).code).toBe(0);
  });
  expect(packages).toContain('bullmq');
  expect(packages.filter((name) => /express|board|helmet|pretty|otel|telemetry\/(?!api)/.test(name))).toEqual([]);
});
