import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { runDirectly } from '../../src/direct/run.ts';
import { openLedger } from '../../src/ledger/openLedger.ts';
import { environment } from '../support/cli.ts';
import { useRedis } from '../support/leaks.ts';
import { heartbeatOf, settle, STALE, writeAll } from '../support/world.ts';

const server = useRedis();
const ACKS = 20_000;

test('a run outside the queue that fails leaves word of whom a part went (P13)', async () => {
  const { redis, url } = server.current;
  await settle(redis, 'c', STALE);
  await writeAll(redis, Object.fromEntries(Array.from({ length: ACKS }, (_, n) => [`blocking:ack:c:${n}`, 'x'])));
  const config = loadConfig({}, environment({ REDIS_URL: url }));
  const [target] = [...config.targets.values()];
  if (target === undefined) throw new Error('there is one');
  const failing = runDirectly({
    target,
    queue: config.queue,
    ledger: config.process.ledger,
    trigger: 'cli',
    by: null,
    dryRun: false,
    force: false,
    record: true,
    signal: new AbortController().signal,
    observer: {
      progress: (_, tally) => {
        if (tally.keys > 0) throw new Error('no more');
      },
    },
  });
  await expect(failing).rejects.toThrow('no more');
  const left = (await redis.keys('blocking:ack:c:*')).length;
  expect(left).toBeGreaterThan(0);
  expect(await redis.exists(heartbeatOf('c'))).toBe(1);
  const past = await openLedger(config.queue, config.process.ledger);
  try {
    const [run] = (await past.ledger.history({ limit: 1 })).runs;
    if (run === undefined) throw new Error('it stands in the ledger');
    const rows = [];
    for await (const batch of past.ledger.sweptBy(run)) rows.push(...batch.rows);
    const ofFamilies = rows.map(({ keysByFamily }) =>
      (keysByFamily ?? []).reduce<number>((sum, count) => sum + (count ?? 0), 0),
    );
    expect(ofFamilies[0]).toBeGreaterThanOrEqual(ACKS - left);
  } finally {
    past.close();
  }
});
