import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What starts many processes and waits for them, and so should not come last. */
const LONG = ['bench/', 'queue/', 'workers/', 'own-system/', 'model/', 'redis/tls', 'cli/', 'dashboard/browser'];
/** Storms take all cores while they last: spread over the first three quarters, beside tests that wait. */
const STORM = 'chaos/';
const STORMY_SHARE = 0.75;

const isIn = ({ moduleId }: TestSpecification, path: string): boolean => moduleId.includes(`/test/${path}`);
const isPure = ({ project }: TestSpecification): boolean => project.name === 'pure';
const placeOf = (file: TestSpecification): number => {
  const place = LONG.findIndex((path) => isIn(file, path));
  return place < 0 ? LONG.length : place;
};

/** Rooms whose tests start nothing and change nothing of their process: they take turns in it, and load what they share once. */
const PURE = [
  'test/{config,deploy,docs,domain,health,lua,schema}/**/*.test.ts',
  // That one replaces a module for all that is loaded after it.
  'test/store/!(collisions).test.ts',
  'test/cli/render.test.ts',
  'test/ledger/sightings/sightings{Block,Key}.test.ts',
  'test/queue/{payload,places}.test.ts',
];

/** The order in which files begin: the longest early, whatever they are called. */
class LongestEarly extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const storms = files.filter((file) => isIn(file, STORM));
    // Those of one process stay together, or it would end between them.
    const order = files
      .filter((file) => !isIn(file, STORM))
      .toSorted((a, b) => Number(isPure(a)) - Number(isPure(b)) || placeOf(a) - placeOf(b));
    const apart = Math.floor((files.length * STORMY_SHARE) / Math.max(storms.length, 1));
    for (const [nth, storm] of storms.entries()) order.splice(nth * apart, 0, storm);
    return order;
  }
}

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'pure', include: PURE, isolate: false } },
      { extends: true, test: { name: 'real', include: ['test/**/*.test.ts'], exclude: PURE } },
    ],
    // Real servers and real processes: slow machines need room, a hang must still end.
    testTimeout: 180_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    pool: 'forks',
    // One more than the cores of a small machine: many tests wait.
    maxWorkers: 3,
    sequence: { sequencer: LongestEarly },
  },
});
