import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hasTag, slotOf, tagOf } from '../../src/redis/cluster/calls/slots.ts';
import { useCluster } from '../support/cluster.ts';

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
