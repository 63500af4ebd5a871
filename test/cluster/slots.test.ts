import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hasTag, slotOf, tagOf } from '../../src/redis/cluster/calls/slots.ts';
import { beat } from '../../src/library/index.ts';
import { useCluster } from '../support/cluster.ts';
import { moveSlot, ownerOf } from '../support/slotMoves.ts';

const place = useCluster();

test('of any name the slot is that which Redis takes it for, and a tag stands for its own', async () => {
  const redis = place.current.nodes[0]?.redis;
  const piece = fc.oneof(fc.constantFrom('{', '}', '{}', '}{', 'a'), fc.string({ unit: 'binary' }));
  const names = fc.array(piece, { maxLength: 6 }).map((pieces) => Buffer.from(pieces.join('')));
  const property = fc.asyncProperty(names, async (name) => {
    const slot = await redis?.call('CLUSTER', 'KEYSLOT', name);
    expect(slotOf(name)).toBe(slot);
    expect(slotOf(Buffer.from(`x{${tagOf(slotOf(name))}}y`))).toBe(slot);
    expect(hasTag(name)).toBe(/^[^{]*\{[^}]+\}/.test(name.toString('latin1')));
  });
  await fc.assert(property, { numRuns: 300 });
});

test('a heart beats at the node that serves its heartbeat, by the address of the cluster or of any node, until it stops', async () => {
  const { url, nodes, redis } = place.current;
  const swarms = ['s1', '{s2}', '{}s3', '}s4', 's{', 'é'];
  const hearts = await Promise.all(
    [url, ...nodes.slice(0, 3).map((node) => node.url)].flatMap((at, i) =>
      swarms.map(async (swarm) => await beat({ redis: at, coordinator: `c${i}`, swarm, onExit: false })),
    ),
  );
  expect(await place.current.keys()).toEqual(hearts.map(({ key }) => key).sort());
  for (const heart of hearts) expect(JSON.parse((await redis.get(heart.key)) ?? '').timestamp).toBe(heart.lastBeatAt);
  await Promise.all(hearts.map(async (heart) => await heart.stop()));
  expect(await place.current.keys()).toEqual([]);
});

test('a heart follows its heartbeat to the node that its slot moves to, and loses no beat there', async () => {
  const { url, nodes, redis } = place.current;
  const failed: string[] = [];
  const onError = ({ message }: Error) => void failed.push(message);
  const heart = await beat({ redis: url, coordinator: 'c1', swarm: 's1', onExit: false, onError });
  const slot = slotOf(Buffer.from(heart.key));
  const from = await ownerOf(place.current, slot);
  const to = nodes.slice(0, 3).find((node) => node !== from) as typeof from;
  await moveSlot(place.current, slot, from, to);
  await heart.beat();
  expect(JSON.parse((await redis.get(heart.key)) ?? '').timestamp).toBe(heart.lastBeatAt);
  expect(await to.redis.exists(heart.key)).toBe(1);
  await heart.stop();
  expect([await place.current.keys(), failed]).toEqual([[], []]);
  await moveSlot(place.current, slot, to, from);
});
