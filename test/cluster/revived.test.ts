import { expect, test } from 'vitest';
import { useCluster } from '../support/cluster.ts';
import { MOMENTS, nothingYet, raceOnce } from './race.ts';

const place = useCluster();
const seed = Number(process.env.RACE_SEED || Date.now() % 1_000_000_000);

test(`who beats again while a cluster is swept loses nothing, whatever it has, wherever that is (P1; RACE_SEED=${seed})`, async () => {
  const story = nothingYet();
  // All that happens in between is drawn.
  for (const [round, moment] of MOMENTS.entries()) {
    await raceOnce(place.current, seed + round, story, 40, moment);
    expect(story.faults, `seed ${seed + round}, ${moment}`).toEqual([]);
  }
  expect(story.unsure).toBe(0);
  expect(Math.min(story.whole, story.gone, story.revived, story.swept), JSON.stringify(story)).toBeGreaterThan(0);
});
