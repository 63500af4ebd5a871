/** fifty: fifty targets, of which one hangs, one refuses and one is full; the others have rules and users of their own. */
import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import getPort from 'get-port';
import { expect, type TestContext } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { configFile } from '../support/files.ts';
import type { useQueue } from '../support/queue.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { addUser } from '../support/users.ts';
import { work } from '../support/worker.ts';
import { beat, nowOf, writeAll } from '../support/world.ts';

type Finished = TestContext['onTestFinished'];

const PATIENCE_MS = 150_000;

async function serverFor(finished: Finished): Promise<TestRedis> {
  const server = await startRedis(['--databases', '64']);
  finished(async () => await server.stop());
  return server;
}

/** The address of a port that takes every connection and never answers. */
async function silentAddress(finished: Finished): Promise<string> {
  const taken: Socket[] = [];
  const silent: Server = createServer((socket) => taken.push(socket.on('error', () => {})));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  finished(() => {
    for (const socket of taken) socket.destroy();
    silent.close();
  });
  return `redis://127.0.0.1:${(silent.address() as { port: number }).port}`;
}

/** What a coordinator has, by schema. */
const SCHEMAS = {
  swarm: (id: string) => [`swarm:s:blocking:heartbeat:${id}`, `blocking:signal:${id}`, `blocking:ack:${id}:1`],
  flat: (id: string) => [`blocking:heartbeat:${id}`, `coordinator:activity:${id}`, `blocking:ack:${id}:1`],
  own: (id: string) => [`own:${id}:beat`, `own:${id}:box:1`, `lock:${id}`],
} as const;
type Schema = keyof typeof SCHEMAS;
const OWN = 'own: { heartbeat: "own:{coordinator}:beat", box: "own:{coordinator}:box:*", lock: "lock:{coordinator}" }';

interface Good {
  readonly name: string;
  readonly server: TestRedis;
  readonly db: number;
  readonly schema: Schema;
  readonly guard: string;
}

/** Whoever is stale in it goes, unless a guard forbids that. */
async function settle({ server, db, schema }: Good): Promise<void> {
  await server.redis.select(db);
  const now = await nowOf(server.redis);
  const silences = { gone: 1_800, kept: 1_800, here: 1 };
  const values = Object.entries(silences).flatMap(([id, seconds]) =>
    SCHEMAS[schema](id).map((key, i) => [key, i === 0 ? beat(now - seconds * 1000, id) : '1']),
  );
  await writeAll(server.redis, Object.fromEntries(values));
}
async function left({ server, db }: Good): Promise<string[]> {
  await server.redis.select(db);
  return (await server.redis.keys('*')).sort();
}

const PLAIN = 'protect: [kept]';
const GUARDS = [PLAIN, 'protect: ["k*"], trash: 0s', 'mode: observe', 'protect: [kept], maxStale: 0'];

export interface Plan {
  readonly everyMs: number;
  /** How many runs of each are waited for. */
  readonly runs: number;
  /** The share of all ticks that must have had a run of their own: less than all where a busy machine holds everybody up. */
  readonly leastShare: number;
}

/**
 * Has one worker clean fifty targets of which one hangs, one refuses and one is full. Fails unless the other 47 are each cleaned by
 * their own rules, and have a run for each of their ticks.
 */
export async function expectFiftyCleaned(
  queue: ReturnType<typeof useQueue>,
  { everyMs, runs, leastShare }: Plan,
  finished: Finished,
): Promise<void> {
  const [first, second, full] = (await Promise.all([1, 2, 3].map(async () => await serverFor(finished)))) as [
    TestRedis,
    TestRedis,
    TestRedis,
  ];
  const good = Array.from({ length: 47 }, (_, i): Good => {
    const schema = (['swarm', 'flat', 'own'] as const)[i % 3] ?? 'flat';
    const guard = (i < 4 ? GUARDS[i] : PLAIN) ?? PLAIN;
    return { name: `t${i}`, server: i % 2 === 0 ? first : second, db: i + 1, schema, guard };
  });
  const lines: string[] = [];
  for (const [i, one] of good.entries()) {
    await settle(one);
    const user = await addUser(one.server, ['~*', '+@all', '-flushall'], `user-${i}`);
    const url = `${user}/${one.db}`;
    lines.push(`  ${one.name}: { url: "${url}", schema: ${one.schema}, staleAfter: ${10 + (i % 9)}m, ${one.guard} }`);
  }
  const filled: Good = { name: 'full', server: full, db: 1, schema: 'flat', guard: PLAIN };
  await settle(filled);
  await full.redis.config('SET', 'maxmemory', '1mb');
  await expect(full.redis.set('more', 'x')).rejects.toThrow('OOM');
  lines.push(`  full: { url: "${full.url}/1", schema: flat, protect: [kept] }`);
  lines.push(
    `  hangs: { url: "${await silentAddress(finished)}" }`,
    `  refuses: { url: "redis://127.0.0.1:${await getPort()}" }`,
  );
  const ticks: { readonly target: string; readonly slot: number; readonly run: string }[] = [];
  queue.ticks.on('completed', ({ jobId, returnvalue }) => {
    const [, , target = '', slot] = jobId.split(':');
    ticks.push({ target, slot: Number(slot), run: String(returnvalue) });
  });
  const ended = new Map<string, Report>();
  queue.events.on('completed', ({ jobId, returnvalue }) => ended.set(jobId, returnvalue as unknown as Report));
  const failed: string[] = [];
  queue.events.on('failed', ({ jobId, failedReason }) => failed.push(`${jobId}: ${failedReason}`));
  const file = await configFile(
    `every: ${everyMs / 1000}s\nqueue: { url: "${queue.server.url}" }\nschemas: { ${OWN} }\ntargets:\n${lines.join('\n')}\n`,
    finished,
  );
  const worker = await work({ STALESWEEP_CONFIG: file }, finished);
  const ranOf = (name: string) => ticks.filter(({ target, run }) => target === name && ended.has(run));
  await expect
    .poll(() => Math.min(...[...good, filled].map(({ name }) => ranOf(name).length)), {
      timeout: PATIENCE_MS + runs * everyMs,
      interval: 500,
    })
    .toBeGreaterThanOrEqual(runs);
  await worker.close();

  const places = new Set<number>();
  let own = 0;
  let due = 0;
  const missed: string[] = [];
  for (const one of good) {
    const { name, schema, guard } = one;
    const ran = ranOf(name).sort((a, b) => a.slot - b.slot);
    places.add(Math.floor((Number(ran[0]?.slot) % everyMs) / 100));
    // The next one joins a run that had to wait so long; one that could not even be asked for is skipped.
    for (const [i, { slot, run }] of ran.entries()) {
      const before = ran[i - 1];
      if (before === undefined) continue;
      if (before.run === run) missed.push(`${name}: ${slot} joined run ${run}`);
      else if (slot - before.slot > everyMs) missed.push(`${name}: none between ${before.slot} and ${slot}`);
    }
    own += new Set(ran.map(({ run }) => run)).size;
    due += 1 + (Number(ran.at(-1)?.slot) - Number(ran[0]?.slot)) / everyMs;
    const reports = ran.map(({ run }) => ended.get(run));
    const refused = guard.includes('maxStale');
    for (const report of reports) {
      expect(report).toMatchObject({ target: name, outcome: refused ? 'refused' : 'completed' });
    }
    const stay = guard === PLAIN || guard.includes('k*') ? ['kept', 'here'] : ['gone', 'kept', 'here'];
    expect(await left(one)).toEqual(stay.flatMap((id) => SCHEMAS[schema](id)).sort());
  }
  expect(places.size).toBe(good.length);
  expect(own / due, [...missed, ...failed].join('\n')).toBeGreaterThanOrEqual(leastShare);
  // Nothing can be written there, but what is stale can be removed.
  expect(await left(filled)).toEqual(['kept', 'here'].flatMap((id) => SCHEMAS.flat(id)).sort());
  // Lines of the log for those that failed, not for each of their runs.
  expect(
    worker
      .log()
      .split('\n')
      .filter((line) => line.includes('"level":50')),
  ).toHaveLength(2);
}
