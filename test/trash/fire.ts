/** fire: a drawn moment in which much happens to one trash at once: things are given back by several, others go, names are taken by somebody
 * else, parts of the trash expire, connections are cut, the server is full or takes no writes. After it each thing is where it must be.
 */
import type { Redis } from 'ioredis';
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../../src/domain/failure.ts';
import { readTrashName } from '../../src/redis/trash/names.ts';
import { restore, type Wanted } from '../../src/restore/restore.ts';
import type { Random } from '../chaos/random.ts';
import { clean, targetOf } from '../support/cleanup.ts';
import { ledgerIn } from '../support/pastRuns.ts';
import { beat, everythingOf, heartbeatOf, nowOf } from '../support/world.ts';

const STALE_MS = 3_600_000;

/** A thing, told from all others by what it holds. */
interface Thing {
  readonly dump: string;
  readonly expiresAt: number;
}

/** All there is: by name what stands there; and of the trash each thing, by the key it has there. */
interface Seen {
  readonly live: ReadonlyMap<string, Thing>;
  readonly trash: ReadonlyMap<string, { readonly name: string; readonly dump: string }>;
}

async function seenIn(redis: Redis): Promise<Seen> {
  const keys = ((await redis.callBuffer('KEYS', '*')) as Buffer[]).filter(
    (key) => !/^(\{stalesweep\}|stalesweep:trash-ttl)/.test(key.toString('latin1')),
  );
  const asked = redis.pipeline();
  for (const key of keys) asked.dumpBuffer(key).pexpiretime(key);
  const replies = ((await asked.exec()) ?? []).map(([, reply]) => reply);
  const live = new Map<string, Thing>();
  const trash = new Map<string, { name: string; dump: string }>();
  for (const [i, key] of keys.entries()) {
    const dump = (replies[2 * i] as Buffer | null)?.toString('latin1');
    if (dump === undefined) continue;
    const name = readTrashName(key)?.name.toString('latin1');
    if (name === undefined) live.set(key.toString('latin1'), { dump, expiresAt: Number(replies[2 * i + 1]) });
    else trash.set(key.toString('latin1'), { name, dump });
  }
  return { live, trash };
}

let written = 0;
function writeAny(random: Random, redis: Redis, name: string): Promise<unknown> {
  const value = `${written++}`;
  const ways = [
    () => redis.set(name, value, 'NX'),
    () => redis.hset(name, { [value]: value, b: '2' }),
    () => redis.sadd(name, value, 'b'),
    () => redis.zadd(name, 1, value, 2, 'b'),
    () => redis.rpush(name, value, 'b'),
    () => redis.xadd(name, '1-1', 'a', value),
  ];
  return (random.pick(ways) as () => Promise<unknown>)();
}

export interface Moment {
  /** Servers' address for who may run scripts, and for who may not. */
  readonly urls: readonly string[];
  readonly redis: Redis;
  readonly random: Random;
  readonly coordinators: number;
}

/** Those who are stale, with things of all types, some of which expire. */
async function settleStale({ redis, random }: Moment, ids: readonly string[]): Promise<void> {
  const now = await nowOf(redis);
  for (const id of ids) {
    const names = [...everythingOf(id), `blocking:idempotency:${id}:${random.pick(ids)}:done:1:${written++}`];
    for (const name of names.slice(1)) {
      await redis.del(name);
      await writeAny(random, redis, name);
      if (random.between(0, 1) === 0) await redis.pexpire(name, 500_000 + random.between(0, 5_000_000));
    }
    await redis.set(heartbeatOf(id), beat(now - STALE_MS - written++, id));
  }
}

function settingsOf(random: Random) {
  return { trash: '1h', callBudget: '0.1ms', nice: random.pick([0, 0.5]) ?? 0, restartGrace: false };
}

/** What somebody does who gives back; resolves to how much it says came back, also where it was ended. */
async function giveBack({ urls, redis, random }: Moment, ids: readonly string[]): Promise<number> {
  const what: Wanted =
    random.between(0, 2) === 0
      ? { run: random.pick(['first', 'second']) ?? '' }
      : { coordinator: Buffer.from(random.pick(ids) ?? '') };
  let noted = 0;
  const ledger = Object.assign(Object.create(ledgerIn(redis)), {
    noteRestored: async (_: unknown, { restored }: { restored: number }) => {
      noted += restored;
    },
    horizonsOf: () => ({ keep: async () => {} }),
  });
  const stop = new AbortController();
  const signal = stop.signal;
  if (random.between(0, 3) === 0)
    void pause(random.between(1, 60)).then(() => stop.abort(new Failure('INTERRUPTED', 'x')));
  const target = targetOf(random.pick(urls) ?? '', settingsOf(random));
  await pause(random.between(0, 20));
  try {
    const done = await restore(target, what, { ledger, signal, heartbeats: random.between(0, 1) === 0 });
    if (done.restored !== noted) throw new Error(`${done.restored} came back, and ${noted} were noted`);
  } catch (error) {
    if (!/OOM|NOREPLICAS|interrupted|^x$|enough|replicas|full|memory/i.test(String((error as Error).message)))
      throw error;
  }
  return noted;
}

/** One of the things that go wrong meanwhile; resolves once it is over. */
async function trouble(moment: Moment, names: readonly string[], made: Map<string, string>, lost: Set<string>) {
  const { redis, random } = moment;
  const act = random.pick(['taken', 'taken', 'expired', 'full', 'unsafe', 'cut'] as const);
  if (act === 'taken') {
    for (let n = 0; n < 20; n++) {
      const name = random.pick(names) ?? '';
      const value = `anew ${written++}`;
      if ((await redis.set(name, value, 'PX', 3_000_000, 'NX')) === 'OK') made.set(name, value);
      await pause(1);
    }
  } else if (act === 'expired') {
    for (const key of (await redis.callBuffer('KEYS', 'stalesweep:trash:*')) as Buffer[]) {
      if (random.between(0, 9) === 0 && (await redis.del(key)) === 1) lost.add(key.toString('latin1'));
    }
  } else if (act === 'cut') await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  else {
    const [name, value, usual] = act === 'full' ? ['maxmemory', '1', '0'] : ['min-replicas-to-write', '1', '0'];
    await redis.config('SET', name as string, value as string);
    await pause(random.between(5, 40));
    await redis.config('SET', name as string, usual as string);
  }
}

/** One moment; what was wrong after it. */
export async function fire(moment: Moment): Promise<{ wrong: string[]; restored: number }> {
  const { redis, random, urls, coordinators } = moment;
  await redis.flushall();
  const ids = Array.from({ length: coordinators }, (_, i) => `c${i}`);
  await settleStale(moment, ids);
  const born = [await seenIn(redis)];
  await clean(random.pick(urls) ?? '', { settings: settingsOf(random), run: 'first' });
  // Some came back and died again: of their names two lie there.
  const again = ids.filter(() => random.between(0, 3) === 0);
  await settleStale(moment, again);
  born.push(await seenIn(redis));
  await clean(random.pick(urls) ?? '', { settings: settingsOf(random), run: 'second' });
  const others = Array.from({ length: coordinators >> 1 }, (_, i) => `d${i}`);
  await settleStale(moment, others);
  const before = await seenIn(redis);
  born.push(before);
  const names = [...new Set([...before.trash.values()].map(({ name }) => name))];
  const [made, lost] = [new Map<string, string>(), new Set<string>()];
  const sweeping = random.between(0, 1) === 0;
  const [restored] = await Promise.all([
    Promise.all(Array.from({ length: random.between(2, 5) }, () => giveBack(moment, ids))),
    sweeping ? clean(urls[0] ?? '', { settings: settingsOf(random), run: 'third' }).catch(() => null) : null,
    trouble(moment, names, made, lost),
  ]);
  const sum = restored.reduce((all, one) => all + one, 0);
  const after = await seenIn(redis);
  return {
    wrong: [...aged(born, after), ...held(before, after, made, lost), ...counted(before, after, lost, sum)],
    restored: sum,
  };
}

/** How much left the trash, against what was said; what the third run took again is there under other keys. */
function counted(before: Seen, after: Seen, lost: ReadonlySet<string>, sum: number): string[] {
  const left = [...before.trash.keys()].filter((key) => !after.trash.has(key) && !lost.has(key)).length;
  return left === sum ? [] : [`${left} left the trash, and ${sum} are said to have come back`];
}

function held(before: Seen, after: Seen, made: ReadonlyMap<string, string>, lost: ReadonlySet<string>): string[] {
  const wrong: string[] = [];
  const where = new Map<string, number>();
  const add = (name: string, dump: string) => where.set(`${name}\n${dump}`, (where.get(`${name}\n${dump}`) ?? 0) + 1);
  for (const [name, { dump }] of after.live) add(name, dump);
  for (const { name, dump } of after.trash.values()) add(name, dump);
  const mustBe = [
    ...[...before.live].map(([name, { dump }]) => ({ name, dump })),
    ...[...before.trash].filter(([key]) => !lost.has(key)).map(([, thing]) => thing),
  ];
  for (const { name, dump } of mustBe) {
    const times = where.get(`${name}\n${dump}`) ?? 0;
    if (times !== 1) wrong.push(`${JSON.stringify(name)} is there ${times} times`);
  }
  for (const [name, value] of made) {
    const now = after.live.get(name);
    if (now === undefined && ![...after.trash.values()].some((one) => one.name === name && one.dump.includes(value)))
      wrong.push(`${JSON.stringify(name)}, taken meanwhile, is gone`);
    else if (now !== undefined && !now.dump.includes(value)) wrong.push(`${JSON.stringify(name)} was overwritten`);
  }
  return wrong;
}

/** Whatever is there lives as long as it was to live as it was written. */
function aged(born: readonly Seen[], after: Seen): string[] {
  const until = new Map(
    born.flatMap(({ live }) => [...live].map(([name, one]) => [`${name}\n${one.dump}`, one.expiresAt])),
  );
  return [...after.live].flatMap(([name, { dump, expiresAt }]) => {
    const was = until.get(`${name}\n${dump}`);
    if (was === undefined || (was < 0 ? expiresAt === was : Math.abs(expiresAt - was) < 1_000)) return [];
    return [`${JSON.stringify(name)} was to expire at ${was}, and does at ${expiresAt}`];
  });
}
