import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { cli } from '../support/cli.ts';
import { configFile, folder } from '../support/files.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const { dependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  dependencies: Record<string, string>;
};

interface Loaded {
  /** Those of our dependencies that were loaded, in order of the alphabet. */
  readonly packages: readonly string[];
  /** How many of our own files were. */
  readonly files: number;
}

/** What a command loads until it ends: Node.js writes down every script it ran. */
async function loadedBy(args: readonly string[], env: Record<string, string> = {}): Promise<Loaded> {
  const into = await folder();
  expect((await cli(args, { ...env, NODE_V8_COVERAGE: into })).code).toBe(0);
  const urls = readdirSync(into).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(`${into}/${file}`, 'utf8')) as { result: { url: string }[] };
    return result.map(({ url }) => url);
  });
  const packages = Object.keys(dependencies).filter((name) =>
    urls.some((url) => url.includes(`/node_modules/${name}/`)),
  );
  return { packages: packages.sort(), files: urls.filter((url) => url.includes('/dist/')).length };
}

let server: TestRedis;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => {
  await server.stop();
});
const env = (more: Record<string, string> = {}): Record<string, string> => ({ REDIS_URL: server.url, ...more });

const READERS = ['bytes', 'commander', 'ms'];
const HELP = [['--help'], ['--version'], ...createProgram().commands.map((command) => [command.name(), '--help'])];

test.each(HELP.map((args) => ({ args })))(
  '$args loads nothing but readers of the command line and of settings',
  async ({ args }) => {
    const { packages, files } = await loadedBy(args);
    expect(packages).toEqual(READERS);
    expect(files).toBeLessThan(25);
  },
);

const RUN = ['bytes', 'commander', 'ioredis', 'ms'];
/** BullMQ brings the reader of cron patterns. */
const QUEUE = [...RUN, 'bullmq', 'cron-parser', 'zod'];

test.each([
  { args: ['run'], more: {}, loads: RUN },
  { args: ['run', '--dry-run', '--json'], more: {}, loads: RUN },
  { args: ['run'], more: { STALESWEEP_CRON: '0 3 * * *' }, loads: [...RUN, 'cron-parser'] },
  { args: ['populate', '--coordinators', '1', '--stale', '0'], more: {}, loads: RUN },
  { args: ['history', '--json'], more: {}, loads: QUEUE },
  { args: ['schedule'], more: {}, loads: [...RUN, 'bullmq', 'cron-parser', 'cli-table3'] },
])('$args with $more loads $loads', async ({ args, more, loads }) => {
  expect((await loadedBy(args, env(more))).packages).toEqual(loads.toSorted());
});

test('a file brings the reader of YAML, and nothing else', async () => {
  const file = await configFile('staleAfter: 10m');
  expect((await loadedBy(['run'], env({ STALESWEEP_CONFIG: file }))).packages).toEqual([...RUN, 'yaml']);
});
