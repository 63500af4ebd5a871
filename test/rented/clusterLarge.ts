/** clusterLarge: more than some servers take, or answer, at once, on a cluster of them; and what a run makes of that. */
import { Cluster } from 'ioredis';
import { expect } from 'vitest';
import { sentenceOf } from '../../src/domain/failure.ts';
import { explain } from '../../src/redis/connection/explain.ts';
import { restore } from '../../src/restore/restore.ts';
import { targetOf } from '../support/cleanup.ts';
import { cleanCluster } from '../support/cluster.ts';
import type { RentedCluster } from '../support/rented/cluster.ts';
import type { Rule } from '../support/rented/proxy.ts';
import { all, RESP2, repliesUpTo, requestsUpTo } from '../support/rented/rules.ts';
import { beat, everythingOf } from '../support/world.ts';

export const LIMITS: readonly (readonly [string, () => Rule])[] = [
  ['64 arguments', () => requestsUpTo({ args: 64 }, 'ERR too many arguments')],
  ['16 kB a request', () => requestsUpTo({ bytes: 16_384 }, 'ERR max request size exceeded. Limit: 16384 bytes')],
  ['20 elements a reply', () => repliesUpTo({ elements: 20 }, 'ERR response too large')],
  ['2 kB a reply', () => repliesUpTo({ bytes: 2_048 }, 'ERR reply exceeds the maximum size')],
];

export const SETTINGS: readonly (readonly [string, object])[] = [
  ['for good', {}],
  ['to the trash, and back', { trash: '1h' }],
  ['and told in a stream', { announce: { stream: 'told', maxLength: 1000 } }],
  ['to the trash, told on a channel, and back', { announce: { channel: 'told' }, trash: '1h' }],
  ['and orphans', { orphans: ['ack'] }],
];

const COUNT = 120;
const SILENT_MS = 3_605_000;

interface World {
  readonly stale: readonly string[];
  readonly stays: readonly string[];
}

/** Half of the stale in one slot, the others all over; two who left 500 things in one slot, or all over; who lives, and what is shared. */
async function settleWorld({ cluster }: RentedCluster): Promise<World> {
  const redis = new Cluster(cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })));
  const [stale, stays]: [string[], string[]] = [[], []];
  const values = new Map<string, string>();
  for (let n = 0; n < COUNT; n++) {
    const [id, swarm] = n % 2 === 0 ? [`stale${n}`, 's1'] : [`{one}${n}`, '{one}'];
    const [heartbeat = '', ...keys] = everythingOf(id, swarm);
    if (n === 7 || n === 8)
      for (let m = 0; m < 500; m++) keys.push(`blocking:ack:${id}:${n === 7 ? '{one}' : ''}more${m}`);
    for (const key of keys) values.set(key, '1');
    values.set(heartbeat, beat(Date.now() - SILENT_MS, id));
    stale.push(heartbeat, ...keys);
  }
  for (const id of ['active1', '{one}active']) {
    const [heartbeat = '', ...keys] = everythingOf(id);
    for (const key of keys) values.set(key, '1');
    values.set(heartbeat, beat(Date.now(), id));
    stays.push(heartbeat, ...keys);
  }
  for (let n = 0; n < 30; n += 2) {
    const key = `blocking:idempotency:stale${n}:active1:done:1`;
    values.set(key, '1');
    stays.push(key);
  }
  await Promise.all([...values].map(async ([key, value]) => await redis.set(key, value)));
  redis.disconnect();
  return { stale: stale.sort(), stays: stays.sort() };
}

/** The keys that are coordinators'. */
async function keysOf({ cluster }: RentedCluster): Promise<readonly string[]> {
  return (await cluster.keys()).filter((key) => !key.startsWith('stalesweep:') && key !== 'told');
}

/** Cleans the cluster where its nodes take only so much, and gives back, where it is kept: all of it, in calls of sizes that are learnt. */
export async function expectAllToGo(rented: RentedCluster, rule: Rule, settings: object): Promise<void> {
  rented.setRule(RESP2);
  await rented.cluster.flush();
  const { stale, stays } = await settleWorld(rented);
  let refusals = 0;
  rented.setRule(
    all(RESP2, (command) => {
      const verdict = rule(command);
      if (typeof verdict !== 'object') return verdict;
      if ('answer' in verdict) {
        refusals++;
        return verdict;
      }
      const change = (reply: string) => {
        const changed = verdict.change(reply);
        if (changed !== reply) refusals++;
        return changed;
      };
      return { change };
    }),
  );
  const target = targetOf(rented.url, settings);
  const warnings: string[] = [];
  const observer = { warn: (sentence: string) => warnings.push(sentence) };
  const report = await cleanCluster({ ...rented.cluster, url: rented.url }, { target, observer }).catch(
    (error: unknown) => sentenceOf(explain(error, target)),
  );
  expect(report).toMatchObject({
    outcome: 'completed',
    coordinators: { active: 2, stale: COUNT, swept: COUNT, revived: 0 },
    keys: { deleted: stale.length },
  });
  expect(warnings).toEqual([]);
  expect(await keysOf(rented)).toEqual(stays);
  expect((await rented.cluster.keys()).filter((key) => key.startsWith('stalesweep:aside'))).toEqual([]);
  // Of the 1,000 acknowledgements alone there are more calls than that.
  expect(refusals).toBeLessThan(60);
  if (!('trash' in settings)) return;
  const back = await restore(target, { run: 'test-run' }, { heartbeats: true }).catch((error: unknown) =>
    sentenceOf(explain(error, target)),
  );
  expect(back).toMatchObject({ restored: stale.length, existing: [], expired: 0 });
  expect(await keysOf(rented)).toEqual([...stale, ...stays].sort());
}
