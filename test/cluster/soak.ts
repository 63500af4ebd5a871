/** soak: coordinators that come back while a cluster is swept, ever new ones, until Ctrl-C, for `SOAK_MINUTES`, or until one loses something. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorker } from '../support/cli.ts';
import { cleanCluster } from '../support/cluster.ts';
import { startCluster, type TestCluster } from '../support/clusterServers.ts';
import { configFile } from '../support/files.ts';
import { startRedis } from '../support/redis.ts';
import { comeBack, failOverOnce } from './failovers.ts';
import { Gates } from './gates.ts';
import { moveOnce } from './moves.ts';
import { nothingYet, raceOnce } from './race.ts';
import { restoreOnce } from './restores.ts';
import { killOnce } from './workerKills.ts';

const minutes = Number(process.env.SOAK_MINUTES || Number.POSITIVE_INFINITY);
const moves = Number(process.env.SOAK_MOVES || 100);
const kills = Number(process.env.SOAK_KILLS || 20);
let seed = Number(process.env.RACE_SEED || Date.now() % 1_000_000_000);
const PLACES = [{ readFrom: 'primary' }, { readFrom: 'replica' }];
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startCluster(3, { replicas: true });
});
afterAll(async () => await cluster.stop());

test('whoever beats again while a cluster is swept loses nothing (P1)', async () => {
  const until = performance.now() + minutes * 60_000;
  const story = nothingYet();
  for (; performance.now() < until; seed++) {
    await raceOnce(cluster, seed, story, 120);
    expect(story.faults, `RACE_SEED=${seed}`).toEqual([]);
    if (story.rounds % 20 === 0) console.log(JSON.stringify(story));
  }
  console.log(JSON.stringify(story));
});

test.each(PLACES)('nor does anybody while slots move, both ways, read from $readFrom (P1)', async (readFrom) => {
  const story = nothingYet();
  const told = { moves: 0, said: {} };
  for (; told.moves < moves; seed++) {
    await moveOnce(cluster, cluster.nodes.slice(0, 3), seed, story, told, 60, readFrom);
    expect(story.faults, `RACE_SEED=${seed}`).toEqual([]);
    console.log(JSON.stringify({ ...told, ...story }));
  }
});

test.each(PLACES)(
  'nor does anybody while primaries are killed, read from $readFrom; nothing is orphaned by what they take along, and the next run ends well (P1, P3)',
  async (readFrom) => {
    const gates = await Gates.before(cluster);
    const story = nothingYet();
    const told = { kills: 0, losing: 0, cutOff: 0 };
    try {
      for (; told.kills < kills; seed++) {
        const victim = await failOverOnce(cluster, gates, seed, story, told, 60, { settings: readFrom });
        expect(story.faults, `RACE_SEED=${seed}`).toEqual([]);
        console.log(JSON.stringify({ ...told, ...story }));
        await comeBack(cluster, gates, victim);
        expect((await cleanCluster(cluster, { settings: readFrom })).outcome).toBe('completed');
      }
    } finally {
      await gates.leave();
    }
  },
);

test('what comes back from the trash meanwhile is as it was, each key once: while slots move, and while primaries are killed', async () => {
  const told = { rounds: 0, moves: 0, steps: 0, kills: 0, keys: 0, first: 0, said: {}, faults: [] };
  for (; told.moves < moves || told.kills < kills; seed++) {
    await restoreOnce(cluster, seed, told, told.moves >= moves ? 'kill' : 'moves');
    expect(told.faults, `RACE_SEED=${seed}`).toEqual([]);
    console.log(JSON.stringify(told));
  }
});

test('so is what comes back while a primary is killed in the midst of moves, once these are mended', async () => {
  const told = { rounds: 0, moves: 0, steps: 0, kills: 0, keys: 0, first: 0, said: {}, faults: [] };
  for (; told.kills < kills; seed++) {
    await restoreOnce(cluster, seed, told, 'both');
    expect(told.faults, `RACE_SEED=${seed}`).toEqual([]);
    console.log(JSON.stringify(told));
  }
});

test('nor while a worker that runs is a process of its own, which completes the next run (P1, P3)', async () => {
  const gates = await Gates.before(cluster);
  const queue = await startRedis();
  // Who was promoted a moment ago would else spare everybody for as long as the threshold (P10).
  const file = await configFile(
    `cron: "0 0 1 1 *"\nrestartGrace: false\nnice: 1\ntargets: { default: { url: "${cluster.url}" } }\nqueue: { url: "${queue.url}" }\n`,
  );
  const env = { STALESWEEP_CONFIG: file };
  const worker = await startWorker(env);
  const story = nothingYet();
  const told = { kills: 0, losing: 0, again: 0, ended: {} };
  try {
    for (; told.kills < kills; seed++) {
      const victim = await killOnce(cluster, gates, seed, story, told, { env, worker });
      expect(story.faults, `RACE_SEED=${seed}`).toEqual([]);
      console.log(JSON.stringify({ ...told, ...story }));
      await comeBack(cluster, gates, victim);
    }
  } finally {
    await gates.leave();
    await worker.kill('SIGTERM');
    await queue.stop();
  }
});
