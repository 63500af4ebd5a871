/** beat: a coordinator's heartbeat, written as its schema says, until it stops.
 *
 *      beat() ──▶ TIME, SET … every few seconds … ──▶ stop() ──▶ the heartbeat is removed, if it is still this one's
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseSetting } from '../config/complaint.ts';
import { Misfit } from '../config/values/shape.ts';
import { duration } from '../config/values/values.ts';
import { SHIPPED_SCHEMAS } from '../schema/shipped.ts';
import { compileSchema, type KeySchema } from '../schema/keySchema.ts';
import { slotOf, tagOf } from '../redis/cluster/calls/slots.ts';
import { connect } from '../redis/connection/connect.ts';
import { untilAborted } from '../redis/connection/untilAborted.ts';
import { leave, type Send } from '../redis/leave.ts';
import { flagOf, idOf, insistOnKinds, insistOnNoMore, optionsOf } from './arguments.ts';
import { addressOf, isClient, type RedisClient } from './client.ts';
import { heartbeatKeyOf, heartbeatValueOf } from './heartbeat.ts';
import { atSignal } from './leaving.ts';
import type { Duration } from './options.ts';
import { definitionOf, type Schema } from './schema.ts';

export interface BeatOptions {
  /**
   * The Redis that is cleaned: a URL, for a connection of its own, which keeps the process alive until `stop`; or an ioredis client of
   * one's own, which is used as it is and never closed.
   */
  readonly redis: string | RedisClient;
  /** The id, in as many segments as the schema's ids have. */
  readonly coordinator: string;
  /** Its swarm, where the schema's heartbeats name one. */
  readonly swarm?: string;
  /** The name of a schema that ships, or one of `defineSchema`. @default 'swarm' */
  readonly schema?: string | Schema;
  /** How often it beats: a third of `staleAfter` at most. @default '5s' */
  readonly every?: Duration;
  /**
   * How long a heartbeat lives after the last beat; at least twice `every`. Longer than `staleAfter`, so that a run finds whoever dies by
   * its heartbeat. While heartbeats have one, runs note who beats: what is left after `stop` is found by that. @default '1h'
   */
  readonly ttl?: Duration;
  /** What else the heartbeat is to say, asked at each beat. `timestamp` is not to be replaced. */
  readonly fields?: () => object;
  /** Aborting it is `stop`; before the first beat is answered, `beat` rejects with its reason, and takes that beat back should it arrive. */
  readonly signal?: AbortSignal;
  /**
   * Whether SIGTERM, SIGINT and SIGHUP remove the heartbeat before they end the process. Where anybody else listens to the signal it does
   * not end the process, and the heart goes on beating: call `stop` when the work is done. @default true
   */
  readonly onExit?: boolean;
  /** Told of each beat that failed; the next one comes in time. Left out: nobody is told. */
  readonly onError?: (error: Error) => void;
}

export interface Heart {
  /** The name of the heartbeat, as UTF-8. */
  readonly key: string;
  /** When it last beat, by Redis' clock, in ms since the epoch. */
  readonly lastBeatAt: number;
  /** Beats now, beside the interval. Rejects when Redis does not take it. */
  beat(): Promise<void>;
  /** Ends the beating and removes the heartbeat, unless another process has written it since. Idempotent; rejects when Redis does not answer. */
  stop(): Promise<void>;
}

const inMs = duration(1);
function schemaOf(schema: BeatOptions['schema'] = 'swarm'): KeySchema {
  if (typeof schema !== 'string') return definitionOf(schema).compiled;
  const definition = Object.hasOwn(SHIPPED_SCHEMAS, schema) ? SHIPPED_SCHEMAS[schema] : undefined;
  if (definition !== undefined) return compileSchema(schema, definition);
  return parseSetting(() => unknownSchema(schema), schema, 'schema');
}

function unknownSchema(schema: string): never {
  throw new Misfit(
    `unknown schema ${JSON.stringify(schema)}; known: ${Object.keys(SHIPPED_SCHEMAS).join(', ')}, or what defineSchema returns`,
  );
}

function ttlIn(ttl: Duration, everyMs: number): number {
  const ttlMs = inMs(ttl);
  if (ttlMs >= 2 * everyMs) return ttlMs;
  throw new Misfit(`${JSON.stringify(ttl)} is less than twice "every": one late beat would look like a death`);
}

/** Sends what a heart needs to say. */
interface Line {
  readonly send: Send;
  close(): void;
}

async function lineTo({ redis, signal }: Pick<BeatOptions, 'redis' | 'signal'>, key: Buffer): Promise<Line> {
  const address = addressOf(redis, 'redis');
  if (isClient(redis)) return { send: async (...command) => await redis.call(...command), close: () => {} };
  // Of a cluster, to the node that serves the heartbeat, and to the next one when its slot moves.
  const prefix = `{${tagOf(slotOf(key))}}`;
  const own = await connect(address, { prefix, ...(signal === undefined ? {} : { signal }) });
  return { send: async (...command) => await own.call(...command), close: () => own.disconnect() };
}

/**
 * Beats once, and from then on at every interval, until `stop`. Written with the time of that Redis, so that a clock of this machine that is
 * wrong makes nobody stale. Fails with a `Failure`: `CONFIG` (options, or an id that no run would know), `UNREACHABLE` or `DENIED`; or with
 * the error of Redis when the first beat is refused. Afterwards nothing is thrown: see `onError`.
 */
export async function beat(options: BeatOptions): Promise<Heart> {
  const given = optionsOf(options, 'beat');
  const {
    redis: _,
    coordinator,
    swarm,
    schema: named,
    every = '5s',
    ttl = '1h',
    fields,
    signal,
    onExit = true,
    ...more
  } = given;
  const { onError, ...none } = more;
  insistOnNoMore(none, 'beat');
  insistOnKinds({ signal, fields, onError });
  const endsBySignal = flagOf(onExit, 'onExit');
  const who = { coordinator: idOf(coordinator, 'coordinator'), swarm: swarm && idOf(swarm, 'swarm') };
  const schema = schemaOf(named);
  const key = parseSetting(() => heartbeatKeyOf(schema, who), coordinator, 'coordinator');
  const everyMs = parseSetting(inMs, every, 'every');
  const ttlMs = parseSetting(() => ttlIn(ttl, everyMs), ttl, 'ttl');
  signal?.throwIfAborted();
  const line = await lineTo(given, key);
  const beating = new Beating(line, key, ttlMs, (beatAt) => heartbeatValueOf(who, beatAt, fields?.() ?? {}));
  await begin(beating, line, signal);
  const ended = beating.goOn(everyMs, onError ?? (() => {}));
  let stopping: Promise<void> | null = null;
  const forget = endsBySignal ? atSignal(async () => await stop()) : () => {};
  const onAbort = () => void stop().catch(onError ?? (() => {}));
  async function end(): Promise<void> {
    forget();
    signal?.removeEventListener('abort', onAbort);
    beating.end.abort();
    try {
      await ended;
      await beating.leave();
    } finally {
      line.close();
    }
  }
  async function stop(): Promise<void> {
    stopping ??= end();
    await stopping;
  }
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  return {
    key: key.toString('utf8'),
    get lastBeatAt() {
      return beating.lastBeatAt;
    },
    beat: async () => await beating.beat(),
    stop,
  };
}

/** The first beat. An abort does not wait for it; should it arrive all the same, it is taken back. */
async function begin(beating: Beating, line: Line, signal: AbortSignal | undefined): Promise<void> {
  const settled = new AbortController();
  const first = beating.beat();
  try {
    await Promise.race([first, ...(signal ? [untilAborted(signal, settled.signal)] : [])]);
  } catch (error) {
    beating.end.abort();
    void beating
      .leave()
      .catch(() => {})
      .finally(() => line.close());
    throw error;
  } finally {
    settled.abort();
  }
}

class Beating {
  lastBeatAt = 0;
  readonly end = new AbortController();
  #written = '';
  /** One after the other, or an older beat could come last. */
  #last: Promise<void> = Promise.resolve();

  constructor(
    private readonly line: Line,
    private readonly key: Buffer,
    private readonly ttlMs: number,
    private readonly valueAt: (beatAt: number) => string,
  ) {}

  async beat(): Promise<void> {
    const next = this.#last.catch(() => {}).then(async () => await this.#beat());
    this.#last = next;
    await next;
  }

  /** Until `end` is aborted. Never rejects. */
  async goOn(everyMs: number, onError: (error: Error) => void): Promise<void> {
    const { signal } = this.end;
    while (!signal.aborted) {
      await pause(everyMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      await this.beat().catch((error: unknown) => onError(error instanceof Error ? error : new Error(String(error))));
    }
  }

  async leave(): Promise<void> {
    await this.#last.catch(() => {});
    if (this.#written === '') return;
    await leave(this.line.send, this.key, this.#written);
  }

  async #beat(): Promise<void> {
    if (this.end.signal.aborted) return;
    const [seconds, micros] = (await this.line.send('TIME')) as [string, string];
    if (this.end.signal.aborted) return;
    const beatAt = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
    const value = this.valueAt(beatAt);
    // Known before it is sent: whether it arrived may never be told.
    this.#written = value;
    await this.line.send('SET', this.key, value, 'PX', this.ttlMs);
    this.lastBeatAt = beatAt;
  }
}
