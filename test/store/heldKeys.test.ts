import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HeldKeys, type Key, NO_KEY } from '../../src/store/heldKeys.ts';

/** More than a byte can count. */
const BEGINNINGS = Array.from({ length: 300 }, (_, n) => 'beginning-'.repeat(n % 4) + String.fromCharCode(n % 256));
const BYTES_EACH = 12;
/** From here on a length takes more. */
const LONG = 65_535;

const rest = fc.oneof(
  fc.nat(500).map((n) => `:c${n}:1760000000000`),
  fc.string({ unit: fc.constantFrom('\0', 'ÿ', ':'), maxLength: 4 }),
  fc.constantFrom('', 'x'.repeat(1_000), ...[LONG - 1, LONG, LONG + 1].map((length) => 'y'.repeat(length))),
);
const names = fc.array(
  fc.record({ template: fc.nat(BEGINNINGS.length - 1), rest, list: fc.nat(5), other: fc.nat(9) }),
  {
    maxLength: 120,
    size: 'max',
  },
);

function nameOf({ template, rest: end }: { template: number; rest: string }) {
  return `${BEGINNINGS[template]}${end}`;
}

test('each name that is held is there, packed or not, with its template and its owners, in the list it was linked into', () => {
  fc.assert(
    fc.property(names, fc.option(fc.nat(20), { nil: 120 }), (all, packedFrom) => {
      const keys = new HeldKeys(BEGINNINGS);
      for (const [i, one] of all.entries()) {
        if (i === packedFrom) keys.pack();
        keys.hold(one.template, Buffer.from(nameOf(one), 'latin1'));
      }
      expect(keys.count).toBe(all.length);
      const bytes = all.reduce((sum, { rest }) => sum + BYTES_EACH + rest.length + (rest.length < LONG ? 0 : 4), 0);
      if (all.length <= packedFrom) expect(keys.bytes).toBe(bytes);
      else expect(keys.bytes).toBeLessThanOrEqual(bytes);

      const firsts = new Map<number, Key>();
      const due = new Map<number, string[]>();
      let at = all.length;
      for (const key of keys.all()) {
        const one = all[--at];
        if (one === undefined) throw new Error('more keys than were held');
        expect(Buffer.from(keys.nameOf(key)).toString('latin1')).toBe(nameOf(one));
        expect(keys.templateOf(key)).toBe(one.template);
        expect(keys.areOwnersTold(key)).toBe(false);
        keys.link(key, firsts.get(one.list) ?? NO_KEY);
        firsts.set(one.list, key);
        due.set(one.list, [nameOf(one), ...(due.get(one.list) ?? [])]);
        if (one.other > 2) keys.tellOwners(key, one.other - 3);
        expect([keys.areOwnersTold(key), one.other > 2 ? keys.otherOf(key) : 0]).toEqual([
          one.other > 2,
          Math.max(0, one.other - 3),
        ]);
      }
      expect(at).toBe(0);
      for (const [list, first] of firsts) {
        const found: string[] = [];
        for (let key = first; key !== NO_KEY; key = keys.nextTo(key)) {
          found.push(Buffer.from(keys.nameOf(key)).toString('latin1'));
        }
        expect(found).toEqual(due.get(list));
      }
      keys.clear();
      expect([keys.count, keys.bytes, [...keys.all()]]).toEqual([0, 0, []]);
    }),
    { numRuns: 30 },
  );
});
