/** soak: coordinators that come back while a cluster is swept, ever new ones, until Ctrl-C, for `SOAK_MINUTES`, or until one loses something. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/clusterServers.ts';
import { comeBack, failOverOnce } from './failovers.ts';
import { Gates } from './gates.ts';
import { moveOnce } from './moves.ts';
import { nothingYet, raceOnce } from './race.ts';

const minutes = Number(process.env.SOAK_MINUTES || Number.POSITIVE_INFINITY);
const moves = Number(process.env.SOAK_MOVES || 100);
const kills = Number(process.env.SOAK_KILLS || 20);
let seed = Number(process.env.RACE_SEED || Date.now() % 1_000_000_000);
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

test('nor does anybody while slots move, both ways (P1)', async () => {
  const story = nothingYet();
  const told = { moves: 0, said: {} };
  for (; told.moves < moves; seed++) {
    await moveOnce(cluster, cluster.nodes.slice(0, 3), seed, story, told, 60);
    expect(story.faults, `RACE_SEED=${seed}`).toEqual([]);
    console.log(JSON.stringify({ ...told, ...story }));
  }
});

test('nor does anybody while primaries are killed; nothing is orphaned by what they take along, and the next run ends well (P1, P3)', async () => {
  const gates = await Gates.before(cluster);
  const story = nothingYet();
  const told = { kills: 0, losing: 0, cutOff: 0 };
  try {
    for (; told.kills < kills; seed++) {
      const victim = await failOverOnce(cluster, gates, seed, story, told, 60);
      expect(story.faults, `RACE_SEED=${seed}`).toEqual([]);
      console.log(JSON.stringify({ ...told, ...story }));
      await comeBack(cluster, gates, victim);
    }
  } finally {
    gates.close();
  }
});
