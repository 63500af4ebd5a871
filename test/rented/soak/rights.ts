/** soak: a day without each right, one after the other, of the queue's Redis, and of a target with a trash and announcements. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRedis } from '../../support/redis.ts';
import { addUser } from '../../support/users.ts';
import { commandsOf, Day, type Servers } from '../day.ts';

const ALL = ['~*', '&*', '+@all'];
let servers: Servers;
beforeAll(async () => {
  const [queue, target] = await Promise.all([startRedis(), startRedis()]);
  servers = { queue, target };
});
afterAll(async () => {
  await Promise.all([servers.queue.stop(), servers.target.stop()]);
});

const STREAM = { trash: '1h', announce: { stream: 'told', maxLength: 100 } };
const CHANNEL = { trash: '1h', announce: { channel: 'told' } };
/** Whose user lacks what, and how runs go then. */
const PLACES = {
  'the queue': { place: 'queue', settings: STREAM, always: [] },
  'a target': { place: 'target', settings: STREAM, always: [] },
  'a target that tells on a channel': { place: 'target', settings: CHANNEL, always: [] },
  'a target without scripts': { place: 'target', settings: STREAM, always: ['-eval', '-evalsha'] },
  'a target without scripts that tells on a channel': {
    place: 'target',
    settings: CHANNEL,
    always: ['-eval', '-evalsha'],
  },
} as const;
type Case = (typeof PLACES)[keyof typeof PLACES];

/** A day on which the user lacks one right more. */
async function day({ place, settings, always }: Case, refused: readonly string[]) {
  const urls = async (rules: (of: keyof Servers) => string[]) => ({
    queueUrl: await addUser(servers.queue, rules('queue')),
    targetUrl: await addUser(servers.target, rules('target')),
  });
  const known = await urls((of) => [
    ...ALL,
    ...(of === place ? [...always, ...refused.map((name) => `-${name}`)] : []),
  ]);
  const relent = async () => await urls(() => ALL);
  return await new Day(servers, { ...known, ...settings }, relent).pass();
}

/** What the test itself sends. */
const OWN = new Set(['acl|setuser', 'auth', 'config|get', 'config|resetstat', 'flushall', 'keys', 'mset']);
const only = process.env.SOAK_ONLY?.split(',');

test.each(Object.entries(PLACES))('a day without each right of the user of %s', async (name, one) => {
  if (process.env.SOAK_PLACE !== undefined && process.env.SOAK_PLACE !== name) return;
  await servers[one.place].redis.config('RESETSTAT');
  const usual = await day(one, []);
  expect(usual).toMatchObject({ refusal: null, wrong: [] });
  const sent = (await commandsOf(servers[one.place])).filter((command) => !OWN.has(command));
  console.log(`${name}: ${sent.length} commands: ${sent.join(' ')}`);
  const wrong: string[] = [];
  let refusals = 0;
  for (const command of only ?? sent) {
    const told = await day(one, [command]);
    if (told.refusal !== null) refusals++;
    console.log(`${name} without ${command}: ${told.refusal ?? told.runs.join(' | ')}`);
    for (const line of told.wrong) console.log(`   wrong: ${line}`);
    if (process.env.SOAK_SHOW !== undefined) for (const line of told.said) console.log(`   said: ${line}`);
    wrong.push(...told.wrong.map((line) => `without ${command}, ${line}`));
  }
  console.log(
    `${name}: ${sent.length} commands, ${refusals} of which keep a worker from starting, ${wrong.length} things wrong`,
  );
  expect(wrong).toEqual([]);
});
