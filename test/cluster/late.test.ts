/** What a way delivers long after whoever sent it was killed. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ageWords, cleanCluster, isMarker, settleIn } from '../support/cluster.ts';
import { startCluster, type TestCluster, until } from '../support/clusterServers.ts';
import { beat, heartbeatOf, STALE } from '../support/world.ts';
import { Gates } from './gates.ts';

let cluster: TestCluster;
let gates: Gates;

beforeAll(async () => {
  cluster = await startCluster();
  gates = await Gates.before(cluster);
});
beforeEach(async () => await cluster.flush());
afterAll(async () => {
  await gates.leave();
  await cluster.stop();
});

const IDS = ['c', 'd', 'e'];
/** As long ago a run seems to have begun its turn: for a second more it may set things aside. */
const AGO_SECONDS = 44;

interface Moment {
  /** What is on its way then: the first of this name after a call of the other one. */
  readonly name: string;
  readonly after: string;
  /** Done between the two. */
  readonly meanwhile?: () => Promise<unknown>;
}

/** A run that is killed as some of its commands are on their way; resolves to what delivers them. */
async function killedAt({ name, after, meanwhile }: Moment): Promise<() => Promise<void>> {
  let [isKilled, hasBegun, isNext, wasSent] = [false, false, false, false];
  let hold = () => {};
  const held = new Promise<Awaited<ReturnType<Gates['late']>>>((resolve) => {
    hold = () => void gates.late(name).then(resolve);
  });
  const run = cleanCluster(cluster, {
    mostInBurst: 500,
    before: (call) => {
      if (isKilled) throw new Error('killed');
      if (call !== name || !isNext || wasSent) return;
      wasSent = true;
      hold();
    },
    after: async (call, reply) => {
      hasBegun ||= call === 'scan';
      if (call === 'time' && hasBegun && Array.isArray(reply)) reply[0] = `${Number(reply[0]) - AGO_SECONDS}`;
      if (call !== after || isNext) return;
      await meanwhile?.();
      isNext = true;
    },
  }).catch((error: Error) => error.message);
  const letGo = await held;
  isKilled = true;
  const deliver = letGo();
  expect(await run).toBe('killed');
  return deliver;
}

async function allBeat(): Promise<void> {
  await Promise.all(IDS.map(async (id) => await cluster.redis.set(heartbeatOf(id), beat(Date.now(), id))));
}

async function left(): Promise<string[]> {
  return (await cluster.keys()).filter((key) => !isMarker(key));
}

async function passesAreClosed(): Promise<boolean> {
  return (await cluster.keys()).every((key) => !key.startsWith('stalesweep:aside-pass:'));
}

test.each<[string, Moment]>([
  ['what sets things aside', { name: 'renamenx', after: 'mget' }],
  ['what removes what is aside', { name: 'unlink', after: 'renamenx' }],
  ['what puts it back', { name: 'renamenx', after: 'renamenx', meanwhile: allBeat }],
])('takes nothing of who lives, and hides nothing: %s (P1)', async (_, moment) => {
  const keys = (await Promise.all(IDS.map(async (id) => await settleIn(cluster, id, STALE)))).flat().sort();
  const deliver = await killedAt(moment);
  await allBeat();
  await until(passesAreClosed);
  await ageWords(cluster);
  // Who takes that run for killed, and puts back what it has aside, settles it for good.
  expect((await cleanCluster(cluster)).coordinators).toMatchObject({ active: IDS.length, swept: 0 });
  expect(await left()).toEqual(keys);
  const written = keys.filter((key) => !key.includes('heartbeat'));
  for (const key of written) await cluster.redis.set(key, 'new');
  await deliver();
  expect(await left()).toEqual(keys);
  for (const key of written) expect(await cluster.redis.get(key)).toBe('new');
  expect((await cleanCluster(cluster)).coordinators).toMatchObject({ active: IDS.length, swept: 0 });
  expect(await left()).toEqual(keys);
});

test('leaves who beat again its heartbeat, and what it has written since', async () => {
  for (const id of IDS) await settleIn(cluster, id, STALE);
  const deliver = await killedAt({ name: 'evalsha', after: 'unlink' });
  await allBeat();
  for (const id of IDS) await cluster.redis.set(`blocking:signal:${id}`, 'new');
  await ageWords(cluster);
  const before = await left();
  await deliver();
  expect(await left()).toEqual(before);
  expect((await cleanCluster(cluster)).coordinators).toMatchObject({ active: IDS.length, swept: 0 });
  expect(await left()).toEqual(before);
});
