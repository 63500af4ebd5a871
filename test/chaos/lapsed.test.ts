import { expect, test } from 'vitest';
import { letLapse } from './lapses.ts';
import { loseWorker } from './troubles.ts';

test('who dies under a heartbeat that expires is gone after the threshold and one interval, who lives is whole, though a worker is killed (P1, P2, P11)', async (context) => {
  const seen = await letLapse(context, {
    strategy: 'script',
    coordinators: 200,
    seconds: 24,
    apartSeconds: 10,
    troubles: [loseWorker],
  });
  expect(seen.deaths).toBeGreaterThan(30);
}, 150_000);
