import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Decisive, decisiveIn, decisiveOf, mostCareful } from '../../src/config/decisive.ts';
import { resolveConfig, type TargetConfig } from '../../src/config/resolve.ts';

const fraction = fc.constantFrom(0.1, 0.25, 0.5, 1);
const settings = fc.record({
  staleAfter: fc.constantFrom('5m', '10m', '1h'),
  minStaleAfter: fc.constantFrom('1m', '2m'),
  mode: fc.constantFrom('sweep', 'observe'),
  maxStale: fc.constantFrom(0, 5, 100),
  maxStaleFraction: fraction,
  protect: fc.subarray(['a', 'b', 'c']),
  orphans: fc.subarray(['ack', 'signal']),
  suddenSilence: fc.oneof(fc.constant(false), fc.record({ fraction, from: fc.constantFrom(1, 20, 300) })),
  restartGrace: fc.boolean(),
});

function targetOf(set: object): TargetConfig {
  const file = { name: 'test.yaml', text: JSON.stringify({ ...set, targets: { t: { url: 'redis://somewhere' } } }) };
  const target = resolveConfig({}, {}, file).targets.get('t');
  if (target === undefined) throw new Error('it was just set');
  return target;
}

test('whoever takes a run, the same settings hold, as they travel: of each that decides who goes, the most careful', () => {
  fc.assert(
    fc.property(settings, settings, (one, other) => {
      const [first, second] = [targetOf(one), targetOf(other)];
      const said = (target: TargetConfig) => decisiveIn(JSON.parse(JSON.stringify(decisiveOf(target)))) as Decisive;
      const careful = decisiveOf(mostCareful(first, [said(second)]));
      // All of them: also one that will be added.
      const alike = (set: Decisive) => ({ ...set, protect: set.protect.toSorted(), orphans: set.orphans.toSorted() });
      expect(alike(decisiveOf(mostCareful(second, [said(first)])))).toEqual(alike(careful));
      expect(careful.restartGrace).toBe(one.restartGrace || other.restartGrace);
      const sudden = [one, other].flatMap(({ suddenSilence }) => (suddenSilence === false ? [] : [suddenSilence]));
      expect(careful.suddenSilence).toEqual(
        sudden.length > 0 && {
          fraction: Math.max(...sudden.map((set) => set.fraction)),
          from: Math.min(...sudden.map((set) => set.from)),
        },
      );
    }),
    { numRuns: 200 },
  );
});
