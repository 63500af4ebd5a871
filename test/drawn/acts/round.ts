/** round: one drawn story, from the seed. */
import { Random } from '../../chaos/random.ts';
import type { clean } from '../../support/cleanup.ts';
import type { Ground } from '../ground.ts';
import { drawWorld } from '../world.ts';
import { Story } from './story.ts';

const MEMORY = [undefined, undefined, 3_000, 12_000];

export async function round(ground: Ground, seed: number, acts: number, sweep?: typeof clean) {
  const random = new Random(seed);
  const world = drawWorld(random);
  const settings = {
    sweep,
    byTransaction: random.between(0, 2) === 0,
    memoryBudgetBytes: random.pick(MEMORY),
    withTrash: random.between(0, 1) === 0,
  };
  await ground.redis.flushall();
  const story = new Story(ground, random, world, settings);
  for (let act = 0; act < acts && story.wrong.length === 0; act++) await story.act();
  const drawn = {
    seed,
    layout: world.name,
    ...settings,
    sweep: undefined,
    people: story.people.length,
    told: story.told,
  };
  return { drawn, wrong: story.wrong, swept: story.swept };
}
