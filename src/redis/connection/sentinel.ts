/** sentinel: the sentinels that know which of several servers is the primary: how the library asks them, and what they say of it.
 *
 *  Promises  who was promoted counts as a server that came back with old data (P10): the last beats before a failover may be lost
 *            with the server that took them.
 */
import type { RedisOptions } from 'ioredis';
import { type Deployment, deploymentOf, type HostPort } from '../../config/values/deployment.ts';
import { redactUrl } from '../../config/values/redisUrl.ts';
import type { Address } from '../../config/values/tls.ts';
import { Failure } from '../../domain/failure.ts';
import { askedOnce, createClient } from './client.ts';
import { addressOf } from '../cluster/nodes/address.ts';
import { type Info, UPTIME } from '../target/clock.ts';
import { wasReplica } from '../target/promotion.ts';

type Sentinels = Extract<Deployment, { kind: 'sentinel' }>;
type Options = Omit<RedisOptions, 'replyMapping'>;

/** A sentinel that takes longer is passed over, in ms: three of them must not take as long as a connection may. */
const ANSWER_TIMEOUT_MS = 2_000;
const LONGEST_PAUSE_MS = 1_000;

function sentinelsIn(url: string): Sentinels | null {
  const deployment = deploymentOf(url);
  return deployment?.kind === 'sentinel' ? deployment : null;
}

/**
 * What the library needs to ask the sentinels that an address names, at each connection anew; `null` for an address of another kind.
 * @param lasts whether they are to be asked again and again, while none of them answers
 */
export function sentinelOptions(address: Address, lasts: () => boolean): Options | null {
  const sentinels = sentinelsIn(address.url);
  if (sentinels === null) return null;
  const { hosts, name, db, username, password, encrypted } = sentinels;
  const { sentinel = {}, tls } = address;
  return {
    sentinels: [...hosts],
    name,
    role: 'master',
    db,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(sentinel.user === undefined ? {} : { sentinelUsername: sentinel.user }),
    ...(sentinel.password === undefined ? {} : { sentinelPassword: sentinel.password }),
    ...(encrypted ? { tls: tls ?? {}, sentinelTLS: tls ?? {}, enableTLSForSentinelMode: true } : {}),
    sentinelCommandTimeout: ANSWER_TIMEOUT_MS,
    sentinelRetryStrategy: (attempt) => (lasts() ? Math.min(50 * 2 ** attempt, LONGEST_PAUSE_MS) : null),
  };
}

/**
 * Fails (`UNREACHABLE`) where the server to which others led is not the primary, or does not say; they may not know yet.
 * @param who those others, as in "its sentinels are"
 */
export function insistOnPrimary(info: Info, where: string, who: string): void {
  const role = info.get('role');
  if (role === 'master') return;
  if (role === undefined) {
    throw new Failure('DENIED', `${where} does not say in INFO whether it is the primary; grant the user +info`);
  }
  throw new Failure('UNREACHABLE', `${where} is not the primary any more, or not yet: ${who} about to agree`);
}

/** Why none of them named a server, of which the last said this; `null` where it said nothing. */
export function sentinelReason(error: Error | undefined, name: string): string | null {
  if (error === undefined) return null;
  if (/No such master|invalid reply: null$/.test(error.message))
    return `none of its sentinels names a primary "${name}"`;
  if (/NOAUTH|WRONGPASS|NOPERM/.test(error.message)) {
    return 'its sentinels refuse the user name or password; set STALESWEEP_SENTINEL_PASSWORD';
  }
  return 'none of its sentinels answers';
}

/** What one sentinel says of the primary, by name. */
export type Told = ReadonlyMap<string, string>;

async function ask(
  { url, tls, sentinel = {} }: Address,
  at: HostPort,
  { name, encrypted }: Sentinels,
  what: 'MASTER' | 'REPLICAS' = 'MASTER',
): Promise<readonly Told[]> {
  const redis = createClient({
    ...at,
    ...(sentinel.user === undefined ? {} : { username: sentinel.user }),
    ...(sentinel.password === undefined ? {} : { password: sentinel.password }),
    ...(encrypted ? { tls: tls ?? {} } : {}),
    ...askedOnce(ANSWER_TIMEOUT_MS),
  });
  try {
    await redis.connect();
    const reply = await redis.call('SENTINEL', what, name);
    if (!Array.isArray(reply)) throw new Error(`no answer of a sentinel: ${redactUrl(url)}`);
    return (what === 'MASTER' ? [reply] : (reply as unknown[][])).map(toldIn);
  } finally {
    redis.disconnect();
  }
}

function toldIn(fields: readonly unknown[]): Told {
  return new Map(fields.flatMap((field, i) => (i % 2 === 0 ? [[String(field), String(fields[i + 1])]] : [])));
}

/** One sentinel, and what it says, or why it says nothing. */
export interface Asked {
  readonly at: string;
  readonly told: Told | Error;
}

/** Asks each of the sentinels that an address names, side by side; none for an address of another kind. */
export async function askSentinels(address: Address): Promise<readonly Asked[]> {
  const sentinels = sentinelsIn(address.url);
  if (sentinels === null) return [];
  return await Promise.all(
    sentinels.hosts.map(async (at) => ({
      at: `${at.host}:${at.port}`,
      told: await ask(address, at, sentinels).then(
        ([told = new Map()]) => told,
        (error: Error) => error,
      ),
    })),
  );
}

/**
 * The replicas of the primary, as the first sentinel that answers knows them, those that have heard most of it first. Fails
 * (`UNREACHABLE`) where none answers.
 */
export async function replicasKnown(address: Address): Promise<readonly Address[]> {
  const sentinels = sentinelsIn(address.url);
  if (sentinels === null) return [];
  let failed: unknown = null;
  for (const at of sentinels.hosts) {
    try {
      const told = await ask(address, at, sentinels, 'REPLICAS');
      return told
        .filter(isWell)
        .sort((a, b) => Number(b.get('slave-repl-offset')) - Number(a.get('slave-repl-offset')))
        .map((one) => {
          const server = { host: one.get('ip') ?? '', port: Number(one.get('port')) };
          return addressOf(address, server, sentinels.db);
        });
    } catch (error) {
      failed = error;
    }
  }
  const where = `Redis at ${redactUrl(address.url)}`;
  throw new Failure('UNREACHABLE', `none of the sentinels of ${where} says who its replicas are`, { cause: failed });
}

function isWell(replica: Told): boolean {
  const isDown = /s_down|o_down|disconnected/.test(replica.get('flags') ?? '');
  return !isDown && replica.get('master-link-status') === 'ok';
}

/**
 * INFO of a primary to which sentinels led: where it was a replica before, as of a server that came back with its data when it was
 * promoted. No sentinel knows since when for longer than it runs itself. Fails (`UNREACHABLE`) where none tells.
 */
export async function infoSincePromotion(address: Address, info: Info): Promise<Info> {
  if (sentinelsIn(address.url) === null || !wasReplica(info)) return info;
  const told = (await askSentinels(address)).flatMap((one) => (one.told instanceof Error ? [] : [one.told]));
  const seconds = told
    .filter((one) => one.get('role-reported') === 'master')
    .map((one) => Number(one.get('role-reported-time')) / 1000)
    .filter(Number.isFinite);
  if (seconds.length === 0) {
    const where = `Redis at ${redactUrl(address.url)}`;
    throw new Failure(
      'UNREACHABLE',
      `${where} was promoted, and none of its sentinels says when: nobody can be judged`,
    );
  }
  const since = Math.floor(Math.min(Number(info.get(UPTIME) ?? 0), Math.max(...seconds)));
  // As one says that loaded something.
  return new Map([...info, [UPTIME, String(since)], ['rdb_last_load_keys_loaded', '1']]);
}
