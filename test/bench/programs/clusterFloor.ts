/** cluster floor: the floor on a cluster, where no call may name keys of two slots: every primary is walked by SCAN for its heartbeats,
 * their values are read slot by slot, and exactly the right keys, which it is told, are unlinked slot by slot: a thousand keys at a
 * time, as one walks, or with `bySlot` in its settings all that a slot holds at once, which nobody knows who has not walked to the end.
 */
import { Redis } from 'ioredis';
import { type Member, membersIn } from '../../../src/redis/cluster/nodes/topology.ts';
import { slotOfText } from '../../../src/redis/cluster/calls/slots.ts';
import { NAMES, staleKeysOf } from '../keys.ts';
import { contend } from './contend.ts';

const PAGE = 1_000;
const BATCH = 1_000;
const IN_FLIGHT = 4;
const SLOTS_AT_ONCE = 256;

function bySlot(keys: Iterable<string>): ReadonlyMap<number, string[]> {
  const slots = new Map<number, string[]>();
  for (const key of keys) {
    const slot = slotOfText(key);
    const known = slots.get(slot);
    if (known === undefined) slots.set(slot, [key]);
    else known.push(key);
  }
  return slots;
}

contend(async ({ url, sample, staleBeatAt, settings }) => {
  const [seed = ''] = url.replace('redis+cluster://', '').split(',');
  const first = new Redis(`redis://${seed}`);
  const members = membersIn(String(await first.call('CLUSTER', 'NODES')), '127.0.0.1');
  first.disconnect();
  const connections = members.map(({ host, port, slots }: Member) => ({ redis: new Redis({ host, port }), slots }));
  const owners = new Map(connections.flatMap(({ redis, slots }) => slots.map((slot) => [slot, redis] as const)));
  await Promise.all(connections.map(async ({ redis }) => await redis.ping()));

  const walk = async (redis: Redis): Promise<void> => {
    const read: Promise<unknown>[] = [];
    let cursor = '0';
    do {
      const [next, heartbeats] = await redis.scan(cursor, 'MATCH', NAMES[sample.schema].heartbeats, 'COUNT', PAGE);
      cursor = next;
      for (const keys of bySlot(heartbeats).values()) read.push(redis.mgetBuffer(keys));
    } while (cursor !== '0');
    await Promise.all(read);
  };
  function* keys(): Generator<string> {
    for (let next = 0; next < sample.stale; next++) yield* staleKeysOf(sample, next, staleBeatAt);
  }
  const unlink = async (slots: Iterable<readonly [number, string[]]>): Promise<void> => {
    await Promise.all([...slots].map(async ([slot, names]) => await owners.get(slot)?.unlink(...names)));
  };
  const pages = function* (): Generator<Iterable<readonly [number, string[]]>> {
    if (settings.bySlot === true) {
      const slots = [...bySlot(keys())];
      while (slots.length > 0) yield slots.splice(0, SLOTS_AT_ONCE);
      return;
    }
    let page: string[] = [];
    for (const key of keys()) {
      page.push(key);
      if (page.length < BATCH) continue;
      yield bySlot(page);
      page = [];
    }
    yield bySlot(page);
  };
  return {
    go: async () => {
      await Promise.all(connections.map(async ({ redis }) => await walk(redis)));
      const next = pages();
      const lane = async () => {
        for (const page of next) await unlink(page);
      };
      await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
      return {};
    },
    close: () => {
      for (const { redis } of connections) redis.disconnect();
    },
  };
});
