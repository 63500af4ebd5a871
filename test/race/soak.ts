/** soak: the same tries as the test of this room, ever new ones, by script and by transaction in turn, until Ctrl-C, for
 * `SOAK_MINUTES`, or until somebody loses something.
 */
import { afterAll, expect, test } from 'vitest';
import { useRedis } from '../support/leaks.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { nothingYet, raceOnce, triesIn } from './race.ts';
import { RIGHTS_OF_WAYS } from './ways.ts';

const ROUNDS = 10;

const minutes = Number(process.env.SOAK_MINUTES || Number.POSITIVE_INFINITY);
const server = useRedis();
const startedAt = performance.now();
const stories = { script: nothingYet(), transaction: nothingYet() };
let seed = Number(process.env.RACE_SEED || Date.now() % 1_000_000_000);

function seconds() {
  return Math.round((performance.now() - startedAt) / 1000);
}
function say() {
  for (const [strategy, story] of Object.entries(stories)) {
    console.log(
      `${seconds()} s, ${strategy}: ${triesIn(story)} tries ${JSON.stringify({ ...story, losses: story.losses.length })}`,
    );
  }
}

afterAll(say);

test('for as long as one likes, whoever comes back or is born while a run goes loses nothing (P1)', async () => {
  while (seconds() < minutes * 60) {
    for (const [strategy, rules] of STRATEGIES) {
      const url = await urlFor(server.current, rules && [...rules, ...RIGHTS_OF_WAYS]);
      for (let round = 0; round < ROUNDS; round++, seed++) {
        const left = await raceOnce(server.current, url, strategy, seed, stories[strategy]);
        expect(stories[strategy].losses, `RACE_SEED=${seed}, ${strategy}`).toEqual([]);
        expect(left, `RACE_SEED=${seed}, ${strategy}: nobody came back for these`).toEqual([]);
      }
    }
    say();
  }
});
