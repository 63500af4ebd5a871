/** P6 by bytes: in a cluster, too, names and values count by what they weigh, wherever they travel. */
import { randomInt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Bulk } from '../../src/redis/call/bulk.ts';
import { markerKeys } from '../../src/redis/cluster/aside/names.ts';
import { KeysBySlot } from '../../src/redis/cluster/calls/keysBySlot.ts';
import { weightOfBytes } from '../../src/redis/pace/weight.ts';
import { restore } from '../../src/restore/restore.ts';
import { targetOf } from '../support/cleanup.ts';
import { cleanCluster, settleIn, useCluster } from '../support/cluster.ts';
import { beat, heartbeatOf, STALE } from '../support/world.ts';

const place = useCluster();
const LONG = 250_000;
const settings = { trash: '1h' };

/** `{g}` and so on: names in the order in which a slot has them. */
function drawnName(): string {
  return `{g${randomInt(3)}}${'x'.repeat(randomInt(10) === 0 ? randomInt(20_000) : randomInt(60))}`;
}

test('names of one slot go together for as long as they come to no more than one call may handle', () => {
  for (let round = 0; round < 8; round++) {
    const names = Bulk.of(Array.from({ length: randomInt(1, 300) }, drawnName));
    const keys = new KeysBySlot([names]);
    const most = randomInt(1, 300);
    const values = keys.numbers.map(() => (randomInt(20) === 0 ? randomInt(20_000) : 0));
    const weigh = (number: number) => weightOfBytes(keys.lengthOf(number) + (values[number] as number));
    const spans = keys.spansOf(keys.numbers, most, (number) => values[number] as number);
    expect(spans.flatMap(({ numbers }) => numbers)).toEqual(keys.numbers);
    for (const [i, { slot, numbers }] of spans.entries()) {
      for (const number of numbers) expect(keys.slotOf(number)).toBe(slot);
      const weight = numbers.reduce((sum, number) => sum + weigh(number), 0);
      if (numbers.length > 1) expect(weight).toBeLessThanOrEqual(most);
      const next = spans[i + 1];
      if (next?.slot === slot) expect(weight + weigh(next.numbers[0] as number)).toBeGreaterThan(most);
    }
  }
});

/** How many bytes of arguments the largest command had that these nodes took. */
async function largestTaken(): Promise<number> {
  let largest = 0;
  for (const { redis } of place.current.nodes) {
    const entries = (await redis.slowlog('GET', -1)) as unknown as [number, number, number, string[]][];
    for (const [, , , args] of entries) {
      const bytes = args.map((arg) => arg.length + Number(/\.\.\. \((\d+) more bytes\)$/.exec(arg)?.[1] ?? 0));
      largest = Math.max(
        largest,
        bytes.reduce((sum, one) => sum + one, 0),
      );
    }
    await redis.slowlog('RESET');
  }
  return largest;
}

describe('names of hundreds of kilobytes in one slot', () => {
  test('go one by one: when they are swept, put back and restored', async () => {
    const { nodes, redis, url } = place.current;
    const more = Array.from({ length: 4 }, (_, n) => `blocking:ack:c:{g}:${n}${'x'.repeat(LONG)}`);
    const others = more.map((name) => name.replace('ack:c:', 'ack:d:'));
    const all = [
      ...(await settleIn(place.current, 'c', STALE, { more })),
      ...(await settleIn(place.current, 'd', STALE, { more: others })),
      ...(await settleIn(place.current, 'e', STALE)),
    ];
    for (const node of nodes) {
      await node.redis.config('SET', 'slowlog-max-len', 100_000);
      await node.redis.config('SET', 'slowlog-log-slower-than', 0);
      await node.redis.slowlog('RESET');
    }
    // A name aside, or in the trash, goes with its own.
    const most = 2 * LONG + 10_000;
    await cleanCluster(place.current, { settings });
    expect(await redis.exists(heartbeatOf('e'))).toBe(0);
    expect(await largestTaken()).toBeLessThan(most);
    await restore(targetOf(url, settings), { run: 'test-run' }, { heartbeats: true });
    expect(await largestTaken()).toBeLessThan(most);
    const back = (await place.current.keys()).filter((key) => !key.startsWith('stalesweep:'));
    expect(back).toEqual(all.sort());
    // As a run leaves them that is killed.
    for (const [n, name] of more.entries()) {
      await redis.rename(name, `stalesweep:aside:{g}:abcdefgh:${n}:${name}`);
    }
    await redis.sadd(markerKeys()[0] as string, '1:killed');
    await cleanCluster(place.current, { confirm: async () => false });
    expect(await largestTaken()).toBeLessThan(most);
    for (const name of more) expect(await redis.exists(name)).toBe(1);
  });
});

test('heartbeats of hundreds of kilobytes are read one by one, from the first on', async () => {
  const { redis } = place.current;
  const count = 24;
  const at = Date.now() - (STALE + 5) * 1000;
  for (let n = 0; n < count; n++) {
    const value = JSON.stringify({ ...(JSON.parse(beat(at, `c${n}`)) as object), pad: 'x'.repeat(3 * LONG) });
    await redis.set(heartbeatOf(`c${n}`), value);
  }
  const told = { bursts: 0, values: 0 };
  const report = await cleanCluster(place.current, {
    mostInBurst: 500,
    before: (name) => {
      if (name === 'mget') told.bursts++;
    },
    after: (name) => {
      if (name === 'mget') told.values++;
    },
  });
  expect(report.coordinators).toMatchObject({ stale: count, swept: count });
  expect(told.values).toBeGreaterThanOrEqual(3 * count);
  expect(told.bursts).toBe(told.values);
});
