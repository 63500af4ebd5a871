/** soak: the protocol with all that may come between at once, and each mistake that its test leaves out. */
import { expect, test } from 'vitest';
import { searchModel } from './spin.ts';

test.for([['STRING'], []] as const)('two runs side by side, with a failover (P1, P3) %s', async (kind) => {
  const { errors, assertion } = await searchModel(...kind, 'AT_ONCE=2', 'MOST_FAILOVERS=1');
  expect({ errors, assertion }).toEqual({ errors: 0, assertion: null });
});

test('one run that tries again, with two failovers (P1, P3)', async () => {
  const { errors, assertion } = await searchModel('AT_ONCE=1', 'MOST_FAILOVERS=2', 'MOST_TRIES=2');
  expect({ errors, assertion }).toEqual({ errors: 0, assertion: null });
});

test.for([
  'PUT_BACK_OVERWRITES',
  'PUT_BACK_GIVES_UP',
  'ANY_HEART_SERVER',
  'ANY_THING_SERVER',
  'NO_GRACE',
  'NO_SETTLING',
])('a mistake would be seen: %s', async (mistake) => {
  expect((await searchModel(mistake, 'AT_ONCE=1', 'MOST_FAILOVERS=1')).errors).toBe(1);
});

test('what lies aside from another run would be seen to be in the way', async () => {
  expect((await searchModel('ANY_ASIDE', 'STRING', 'AT_ONCE=2', 'MOST_FAILOVERS=0')).errors).toBe(1);
});

test.for([
  ['AT_ONCE=1', 'MOST_FAILOVERS=1'],
  ['AT_ONCE=2', 'MOST_FAILOVERS=0'],
])('runs, and somebody who restores (P1, P3) %s', async (kind) => {
  const { errors, assertion } = await searchModel('STRING', 'TRASH', ...kind);
  expect({ errors, assertion }).toEqual({ errors: 0, assertion: null });
});

test.for([
  ['AT_ONCE=2', 'MOST_FAILOVERS=0'],
  ['STRING', 'TRASH', 'AT_ONCE=1', 'MOST_FAILOVERS=1'],
  ['STRING', 'TRASH', 'AT_ONCE=2', 'MOST_FAILOVERS=0'],
])('what sets aside, and comes after its run has ended (P1, P3) %s', async (kind) => {
  const { errors, assertion } = await searchModel('LATE', ...kind);
  expect({ errors, assertion }).toEqual({ errors: 0, assertion: null });
});

test('to restore over what exists would be seen to be a mistake', async () => {
  expect((await searchModel('RESTORE_OVERWRITES', 'STRING', 'TRASH', 'AT_ONCE=1', 'MOST_FAILOVERS=0')).errors).toBe(1);
});
