import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { TargetConfig } from '../../src/config/resolve.ts';
import { scheduleOf } from '../../src/queue/schedules/schedules.ts';

/** How often a target's address is read, which each fingerprint of it takes, to find its schedule among so many others. */
function readsAmong(count: number): number {
  const target = loadConfig({}, { REDIS_URL: 'redis://127.0.0.1:6379' }).targets.get('default') as TargetConfig;
  let reads = 0;
  const counted = Object.defineProperty({ ...target }, 'url', {
    enumerable: true,
    get: () => {
      reads++;
      return target.url;
    },
  });
  const others = Array.from({ length: count }, (_, i) => ({ key: `cleanup:t${i}`, name: 'cleanup' }));
  expect(scheduleOf(others, counted)).toBeUndefined();
  const own = { key: 'cleanup:default', name: 'cleanup', template: { data: { target: 'default', dryRun: false } } };
  expect(scheduleOf([...others, own] as Parameters<typeof scheduleOf>[0], counted)).toBe(own);
  return reads;
}

test('a schedule is found among hundreds with as few fingerprints as among two', () => {
  expect(readsAmong(300)).toBe(readsAmong(2));
});
