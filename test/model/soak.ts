/** soak: the same keyspaces as the tests of this room, ever new ones, until Ctrl-C, for `SOAK_MINUTES`, or until one fails. */
import { afterAll, beforeAll, test } from 'vitest';
import { useRedis } from '../support/leaks.ts';
import { holdAgainst, type Worlds } from './hold.ts';
import { SERVER_ARGS, type Stage, STRATEGIES, stageOn } from './stage.ts';

/** How many of each kind in turn; a large one takes as long as many small ones. */
const ROUNDS: readonly (readonly [Worlds, number])[] = [
  ['shipped', 250],
  ['own', 250],
  ['large', 25],
];

const minutes = Number(process.env.SOAK_MINUTES || Number.POSITIVE_INFINITY);
const server = useRedis(SERVER_ARGS);
const startedAt = performance.now();
let stage: Stage;
let held = 0;

function seconds() {
  return Math.round((performance.now() - startedAt) / 1000);
}
function say() {
  return console.log(`${held.toLocaleString('en')} keyspaces held against the model in ${seconds()} s`);
}

beforeAll(async () => {
  stage = await stageOn(server.current);
});
afterAll(say);

test('for as long as one likes, every keyspace is left as the promises say', async () => {
  while (seconds() < minutes * 60) {
    for (const strategy of STRATEGIES) {
      for (const [kind, keyspaces] of ROUNDS) {
        await holdAgainst(stage, kind, strategy, keyspaces);
        held += keyspaces;
        say();
      }
    }
  }
});
