/** soak: drawn rounds through every service, 300 each, or `SOAK_ROUNDS`. */
import { expect, test } from 'vitest';
import { useRedis } from '../../support/leaks.ts';
import { isSentence, RENTED, throughService } from '../rented.ts';

const rounds = Number(process.env.SOAK_ROUNDS || 300);
const first = Number(process.env.DRAWN_SEED || Date.now() % 1_000_000_000);
const server = useRedis();

test.each(RENTED)('%s', async (name) => {
  const { wrong, went, refused } = await throughService(server.current, name, first, rounds);
  console.log(`${name}: ${went} of ${rounds} rounds went, DRAWN_SEED=${first}; refused: ${JSON.stringify(refused)}`);
  expect(wrong).toEqual([]);
  expect(Object.keys(refused).filter((sentence) => !isSentence(sentence))).toEqual([]);
});
