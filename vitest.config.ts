import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * What waits for most of its time, for a lock to lapse, a server that stands still, a worker to be missed: more of these go side by side
 * than there are cores, and before all others.
 */
const WAITING = [
  'test/chaos/{lapsed,patience}.test.ts',
  'test/cli/{stop,unready}.test.ts',
  'test/cluster/{ends,failover,horizon,moving}.test.ts',
  'test/dashboard/{frozen,http,proxy,readiness}.test.ts',
  'test/ledger/joined.test.ts',
  'test/pages/unserved.test.ts',
  'test/queue/{outages,sentinel,stop,takeover,time}.test.ts',
  'test/rented/halfOpen.test.ts',
  'test/replica/{cluster,lag}.test.ts',
  'test/workers/{frozen,lanes,many,stop,watch}.test.ts',
];
/** What starts many processes and waits for them, and so should not come last. */
const LONG = [
  'bench/',
  'workers/watch',
  'workers/many',
  'replica/lag',
  'pages/',
  'queue/',
  'own-system/',
  'redis/tls',
  'library/',
  'cli/',
  'dashboard/',
];
/** Storms take all cores while they last: spread over the first three quarters, beside tests that wait. */
const STORM = 'chaos/';
const STORMY_SHARE = 0.75;

const isIn = ({ moduleId }: TestSpecification, path: string): boolean => moduleId.includes(`/test/${path}`);
const isAlone = ({ project }: TestSpecification): boolean => project.name === 'alone';
const placeOf = (file: TestSpecification): number => {
  const place = LONG.findIndex((path) => isIn(file, path));
  return place < 0 ? LONG.length : place;
};

/**
 * What changes its process for all that comes after it, a module or the clock, or measures its memory. All others take turns in a
 * few processes, which load the source once each: loading it anew for every file took some 0.8 s of CPU.
 */
const ALONE = [
  'test/store/collisions.test.ts',
  'test/store/memory.test.ts',
  'test/cleanup/p9-live.test.ts',
  'test/cleanup/p5-clock.test.ts',
];

/** The order in which files begin: the longest early, whatever they are called. */
class LongestEarly extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const storms = files.filter((file) => isIn(file, STORM));
    // Those alone come first: between two others they would end the process that these share.
    const order = files
      .filter((file) => !isIn(file, STORM))
      .toSorted((a, b) => Number(isAlone(b)) - Number(isAlone(a)) || placeOf(a) - placeOf(b));
    const apart = Math.floor((files.length * STORMY_SHARE) / Math.max(storms.length, 1));
    for (const [nth, storm] of storms.entries()) order.splice(nth * apart, 0, storm);
    return order;
  }
}

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'waiting', include: WAITING, isolate: false, maxWorkers: 9, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...ALONE, ...WAITING],
          isolate: false,
          sequence: { groupOrder: 1 },
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE, sequence: { groupOrder: 1 } } },
    ],
    // Real servers and real processes: slow machines need room, a hang must still end.
    testTimeout: 180_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    pool: 'forks',
    // Two more than the cores of a small machine: these tests wait now and then, too, and with one more a quarter of it had nothing to do.
    maxWorkers: 4,
    sequence: { sequencer: LongestEarly },
  },
});
