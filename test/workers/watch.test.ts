/** P10 as a worker sees it: time in which nobody could beat is no silence. */
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'vitest';
import { endure } from './endure.ts';
import { OUTAGES } from './outages.ts';

const SCENE = {
  coordinators: 50,
  beatEveryMs: 500,
  staleAfterSeconds: 5,
  everySeconds: 1,
  // Long enough that whoever beats every half second would be stale twice over.
  whileAway: async () => await pause(12_000),
} as const;

test('nobody who beats is swept before, while or after the target is away for longer than the threshold; who died goes after its own silence (P10)', async ({
  onTestFinished,
}) => {
  await endure(OUTAGES, SCENE, onTestFinished);
}, 240_000);

test('nor where worker and queue stand still with the target (P10)', async ({ onTestFinished }) => {
  await endure({ 'is frozen': OUTAGES['is frozen'] }, { ...SCENE, paused: true }, onTestFinished);
}, 240_000);
