import { expect, test } from 'vitest';
import { useRedis } from '../support/leaks.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { nothingYet, raceOnce, triesIn } from './race.ts';
import { RIGHTS_OF_WAYS } from './ways.ts';

const server = useRedis();
/** `npm run test:soak` goes on for tens of thousands. */
const TRIES = Number(process.env.RACE_TRIES || 700);
const MOST_ROUNDS = 200;
const seed = Number(process.env.RACE_SEED || Date.now() % 1_000_000_000);

test.each(STRATEGIES)(
  `of all who come back or are born while runs go by %s, not one loses what it has (P1; RACE_SEED=${seed})`,
  async (strategy, rules) => {
    const url = await urlFor(server.current, rules && [...rules, ...RIGHTS_OF_WAYS]);
    const story = nothingYet();
    // Few tries may lack one kind: more are made until each was.
    const isMissing = () => Math.min(story.met, story.revived, ...Object.values(story.tries)) === 0;
    for (let round = 0; round < MOST_ROUNDS && (triesIn(story) < TRIES || isMissing()); round++) {
      const left = await raceOnce(server.current, url, strategy, seed + round, story);
      expect(story.losses, `seed ${seed + round}`).toEqual([]);
      expect(left, `seed ${seed + round}: nobody came back for these`).toEqual([]);
    }
    expect(isMissing(), JSON.stringify(story)).toBe(false);
    expect(triesIn(story), JSON.stringify(story)).toBeGreaterThanOrEqual(TRIES);
  },
  120_000,
);
