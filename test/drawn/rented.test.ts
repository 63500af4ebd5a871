import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { useRedis } from '../support/leaks.ts';
import { isSentence, RENTED, throughService } from './rented.ts';

const server = useRedis();

test.each(RENTED)(
  'whatever is drawn, through %s: every promise holds, or a sentence says why nothing was removed',
  async (name) => {
    const { wrong, refused } = await throughService(server.current, name, randomInt(1_000_000_000), 1);
    expect(wrong).toEqual([]);
    expect(Object.keys(refused).filter((sentence) => !isSentence(sentence))).toEqual([]);
  },
);
