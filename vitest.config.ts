import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What waits longest, for servers that come back and locks that run out, first: the rest fits in beside it. */
const LONGEST = ['chaos/', 'bench/', 'queue/', 'workers/', 'own-system/', 'redis/tls', 'cli/', 'dashboard/browser'];
const placeOf = ({ moduleId }: TestSpecification): number => {
  const place = LONGEST.findIndex((path) => moduleId.includes(`/test/${path}`));
  return place < 0 ? LONGEST.length : place;
};

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real servers and real processes: slow machines need room, a hang must still end.
    testTimeout: 120_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    pool: 'forks',
    // One more than the cores of a small machine: many tests wait.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
  },
});
