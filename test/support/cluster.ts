/** cluster: one run against a private Redis Cluster, with hooks, and what is in it. */
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type RunRequest, runCleanup } from '../../src/cleanup/run.ts';
import type { Report } from '../../src/domain/report.ts';
import { Stopwatch } from '../../src/redis/call/stopwatch.ts';
import { markerKeys } from '../../src/redis/cluster/aside/names.ts';
import { openCluster } from '../../src/redis/cluster/open.ts';
import { Link } from '../../src/redis/target/link.ts';
import { type CleanOptions, HookedCalls, targetOf } from './cleanup.ts';
import { startCluster, type TestCluster } from './clusterServers.ts';
import { expectNoLeaks } from './leaks.ts';
import { beat, everythingOf } from './world.ts';

/** Fails when connections are left at any of its nodes. */
export async function expectNoClusterLeaks({ nodes }: TestCluster): Promise<void> {
  for (const node of nodes) {
    if (node.redis.status !== 'ready') continue;
    await expectNoLeaks({ ...node });
  }
}

/** Cleans the cluster once. */
export async function cleanCluster({ url }: TestCluster, options: CleanOptions = {}): Promise<Report> {
  const settings = options.target ?? targetOf(url, options.settings);
  const { signal = new AbortController().signal, observer } = options;
  const request: RunRequest = {
    run: options.run ?? 'test-run',
    trigger: 'manual',
    dryRun: options.dryRun ?? false,
    staleAfterSeconds: options.staleAfterSeconds ?? settings.staleAfterSeconds,
    force: options.force ?? false,
    attempts: 1,
    carried: null,
    startedAt: Date.now(),
  };
  const link = await Link.open(settings, signal);
  try {
    const target = await openCluster(link, {
      settings,
      stopwatch: new Stopwatch(),
      callsOver: (redis, rest, stopwatch) => new HookedCalls(redis, options, rest, stopwatch),
      wishes: {
        dryRun: request.dryRun,
        signal,
        warn: (sentence) => observer?.warn?.(sentence),
        outages: async (nowMs) => options.outages?.(nowMs) ?? [],
      },
    });
    try {
      return await runCleanup(target, request, options);
    } finally {
      target.close();
    }
  } finally {
    link.close();
  }
}

export interface Left {
  readonly swarm?: string;
  /** Further names, beside everything of the shipped schema. */
  readonly more?: readonly string[];
}

/** Writes a coordinator with all that it leaves; resolves to the names, its heartbeat first. */
export async function settleIn(
  { redis }: TestCluster,
  id: string,
  silentSeconds: number,
  { swarm, more = [] }: Left = {},
): Promise<string[]> {
  // Well away from the threshold, or the second may turn.
  const at = Date.now() - (silentSeconds + 5) * 1000;
  const keys = [...everythingOf(id, swarm), ...more];
  await Promise.all(keys.map(async (key, i) => await redis.set(key, i === 0 ? beat(at, id) : id)));
  return keys;
}

/** One cluster of three for a file: empty before each test, and without leaks after each. */
export function useCluster(): { readonly current: TestCluster } {
  let cluster: TestCluster | undefined;
  const use = {
    get current(): TestCluster {
      if (cluster === undefined) throw new Error('the cluster has not started');
      return cluster;
    },
  };
  beforeAll(async () => {
    cluster = await startCluster();
  });
  beforeEach(async () => await use.current.flush());
  afterEach(async () => await expectNoClusterLeaks(use.current));
  afterAll(async () => await cluster?.stop());
  return use;
}

/** What something that may be aside is called where it belongs. */
export function ownName(key: string): string {
  return key.replace(/^stalesweep:aside:[^:]*:[^:]*:[^:]*:/, '');
}

/** Whether it only says that something may be aside. */
export function isMarker(key: string): boolean {
  return /^stalesweep:aside(?:s|-pass):/.test(key);
}

/** Has all who said that something may be aside have done so minutes ago. */
export async function ageWords({ redis }: TestCluster): Promise<void> {
  for (const key of markerKeys()) {
    const words = await redis.smembers(key);
    if (words.length === 0) continue;
    await redis.sadd(key, ...words.map((word) => word.replace(/^\d+/, (second) => `${Number(second) - 300}`)));
    await redis.srem(key, ...words);
  }
}
