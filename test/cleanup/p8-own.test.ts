/** Keys of stalesweep's own are nobody's to sweep, whatever ids a target's coordinators have and however its templates begin (P8). */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clean } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';
import { STRATEGIES, urlFor } from '../support/users.ts';
import { beat, keysIn, nowOf, writeAll } from '../support/world.ts';

const server = useRedis();

/** What our keys begin with, the last one by configuration. */
const OWN = ['{stalesweep}', 'stalesweep', '{ours}'];
const SETTINGS = { queue: { prefix: '{ours}' }, schema: 'mine' };
const IDS = [...OWN, 'c1', 'stalesweeps', '{stalesweep', 'ours'];

const HEARTBEATS = ['beats:{coordinator}:beat', 'beats:{swarm}:{coordinator}:beat'];
const HEADS = [
  '{coordinator}',
  '{swarm}:{coordinator}',
  '{swarm}:of:{coordinator}',
  'things:{coordinator}',
  'stalesweep:{coordinator}',
];
const TAILS = ['cleanup:meta', 'trash', 'x'];

const schemas = fc
  .record({
    heartbeat: fc.constantFrom(...HEARTBEATS),
    heads: fc.uniqueArray(fc.constantFrom(...HEADS), { minLength: 1, maxLength: 2 }),
    tail: fc.constantFrom(...TAILS),
  })
  .map(({ heartbeat, heads, tail }) => {
    const possible = heads.filter((head) => heartbeat.includes('{swarm}') || !head.includes('{swarm}'));
    return { heartbeat, named: possible.map((head, i) => `${head}:${tail}${i}`) };
  });

function spell(template: string, swarm: string, id: string): string {
  return template.replace('{swarm}', () => swarm).replace('{coordinator}', () => id);
}

test('keys of its own stay, whoever could own them by their names', async () => {
  const { url, redis } = server.current;
  await fc.assert(
    fc.asyncProperty(schemas, fc.subarray(IDS, { minLength: 1 }), async ({ heartbeat, named }, ids) => {
      await redis.flushall();
      const old = beat((await nowOf(redis)) - 3_600_000);
      const owners = ids.flatMap((id) => ids.map((swarm) => [swarm, id] as const));
      const beats = owners.map(([swarm, id]) => spell(heartbeat, swarm, id));
      const things = named.flatMap((template) => owners.map(([swarm, id]) => spell(template, swarm, id)));
      await writeAll(redis, Object.fromEntries([...beats, ...things].map((name) => [name, old])));
      const ours = [...new Set(things)].filter((name) => OWN.some((prefix) => name.startsWith(`${prefix}:`)));
      const settings = {
        ...SETTINGS,
        schemas: { mine: { heartbeat, ...Object.fromEntries(named.map((template, i) => [`f${i}`, template])) } },
      };
      const dry = await clean(url, { settings, dryRun: true });
      const report = await clean(url, { settings });
      expect(await keysIn(redis)).toEqual(ours.sort());
      expect(report.keys.deleted).toBe(new Set([...beats, ...things]).size - ours.length);
      expect(dry.keys.found).toBe(report.keys.found);
    }),
    { numRuns: 25 },
  );
});

/** Far more calls than a run of so few keys takes. */
const MANY_CALLS = 500;

test.each(STRATEGIES)(
  'what could be theirs whose heartbeat has a name of its own stays, and a run by %s ends',
  async (_, rules) => {
    const { redis } = server.current;
    const url = await urlFor(server.current, rules);
    const mine = {
      heartbeat: '{swarm}:beat:{coordinator}',
      ack: ['ack:{swarm}:{coordinator}:*', 'ack:*:{coordinator}:end'],
    };
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...OWN), fc.boolean(), async (swarm, isThere) => {
        await redis.flushall();
        const old = beat((await nowOf(redis)) - 3_600_000);
        const [known, shared] = [`${swarm}:beat:c1`, `ack:${swarm}:c1:c2:end`];
        // c1 is known from another swarm, so that it may beat in this one, and what c2 left may be its.
        await writeAll(redis, { 's1:beat:c1': old, 's1:beat:c2': old, [shared]: '', ...(isThere && { [known]: old }) });
        let calls = 0;
        const before = () => {
          if (++calls > MANY_CALLS) throw new Error('the run goes on for ever');
        };
        const { coordinators } = await clean(url, { settings: { ...SETTINGS, schemas: { mine } }, before });
        expect(await keysIn(redis)).toEqual(isThere ? [known, shared].sort() : []);
        expect(coordinators).toMatchObject({ checked: 2, stale: 2, swept: 2 });
      }),
      { examples: OWN.map((swarm) => [swarm, true]), numRuns: 6 },
    );
  },
);
