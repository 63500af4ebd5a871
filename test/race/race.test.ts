import { expect, test } from 'vitest';
import { useRedis } from '../support/leaks.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { nothingYet, raceOnce, triesIn } from './race.ts';

const server = useRedis();
/** `npm run test:soak` goes on for tens of thousands. */
const TRIES = Number(process.env.RACE_TRIES || 1_500);
const seed = Number(process.env.RACE_SEED || Date.now() % 1_000_000_000);

test.each(STRATEGIES)(
  `of thousands who come back or are born while runs go by %s, not one loses what it has (P1; RACE_SEED=${seed})`,
  async (strategy, rules) => {
    const url = await urlFor(server.current, rules);
    const story = nothingYet();
    for (let round = 0; triesIn(story) < TRIES; round++) {
      const left = await raceOnce(server.current, url, strategy, seed + round, story);
      expect(story.losses, `seed ${seed + round}`).toEqual([]);
      expect(left, `seed ${seed + round}: nobody came back for these`).toEqual([]);
    }
    expect(Math.min(story.met, story.revived, ...Object.values(story.tries)), JSON.stringify(story)).toBeGreaterThan(0);
  },
  120_000,
);
