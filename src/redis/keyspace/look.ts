/** look: what stands in a target, by family: how many keys, what they take, and for how long they were left alone, from a
 * sample (SCAN, MEMORY USAGE, OBJECT IDLETIME).
 *
 *  Owns      how much is looked at: pages as large as a call may be, until enough keys were seen, or two seconds are over.
 *  Promises  reads only, and touches no idle time; a server or a user that refuses MEMORY costs a call for each family.
 *  (https://redis.io/docs/latest/commands/memory-usage/)
 */
import { type KeyKind, KeyReader } from '../../schema/keyReader.ts';
import type { KeySchema } from '../../schema/keySchema.ts';
import type { Calls } from '../call/calls.ts';
import { keyspaceSizeOf, readInfo } from '../target/clock.ts';
import { scanPage } from './keyspace.ts';
import { isRefusal } from '../rights/refusals.ts';
import type { Place } from '../target/place.ts';
import type { Target } from '../target/target.ts';

/** Names are spread over the table by their hash: the first ones met are a sample of all. */
const ENOUGH_KEYS = 20_000;
/** After a mass deletion nearly all are empty. */
const MOST_SLOTS = 50_000;
/** Keys of each family that are asked about. */
const MOST_SIZES = 24;
/** They take Redis a few hundredths of a millisecond. */
const SIZES_AT_ONCE = 12;
const MOST_MS = 2_000;

export interface FamilySample {
  /** How many keys of the family there are. */
  readonly keys: number;
  /** What they take, in bytes; `null` where Redis does not tell. */
  readonly bytes: number | null;
  /** For how long the one that was left alone longest was neither read nor written, in seconds; left out where Redis does not tell. */
  readonly idleSeconds?: number | undefined;
}

export interface TargetSample {
  /** Whether all keys were looked at; else the numbers are an estimate. */
  readonly complete: boolean;
  /** By the families' positions. */
  readonly families: readonly FamilySample[];
}

/** Looks at a target; not at all of it once `signal` is aborted. Rejects with the error of Redis. */
export async function lookAt(target: Target, signal: AbortSignal): Promise<TargetSample> {
  const looks = await Promise.all(target.nodes.map(async (node) => await new Look(node, target, signal).take()));
  const families = target.settings.schema.families.map((_, family): FamilySample => {
    const parts = looks.map((look) => look.families[family]).filter((part) => part !== undefined);
    return {
      keys: parts.reduce((sum, { keys }) => sum + keys, 0),
      idleSeconds: longest(parts.map(({ idleSeconds }) => idleSeconds)),
      bytes: parts.some(({ bytes }) => bytes === null) ? null : parts.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
    };
  });
  return { complete: looks.every(({ complete }) => complete), families };
}

/** The longest of those that are told. */
function longest(seconds: readonly (number | undefined)[]): number | undefined {
  const told = seconds.filter((one) => one !== undefined);
  return told.length === 0 ? undefined : Math.max(...told);
}

/** At one node. */
class Look {
  readonly #schema: KeySchema;
  readonly #reader: KeyReader;
  readonly #counts: number[];
  /** Some keys of each family. */
  readonly #some: string[][];
  readonly #until = performance.now() + MOST_MS;
  #keys = 0;

  constructor(
    private readonly node: Place,
    { settings: { schema } }: Target,
    private readonly signal: AbortSignal,
  ) {
    this.#schema = schema;
    this.#reader = new KeyReader(schema, true);
    this.#counts = schema.families.map(() => 0);
    this.#some = schema.families.map(() => []);
  }

  get #isOver(): boolean {
    return this.signal.aborted || performance.now() >= this.#until;
  }

  async take(): Promise<TargetSample> {
    const { calls } = this.node;
    const complete = await this.#scan();
    // How many there are now: a run may just have removed most of them.
    const all = complete || this.#keys === 0 ? 0 : keyspaceSizeOf(await readInfo(calls).catch(() => new Map()));
    const scale = complete ? 1 : Math.max(1, all / Math.max(1, this.#keys));
    const families: FamilySample[] = [];
    for (const [family, count] of this.#counts.entries()) {
      const some = this.#isOver ? [] : (this.#some[family] ?? []);
      const average = await averageSize(calls, some);
      const idleSeconds = await longestIdle(calls, some);
      const keys = Math.round(count * scale);
      const bytes = keys === 0 ? 0 : average === null ? null : Math.round(average * keys);
      families.push({ keys, bytes, ...(keys === 0 || idleSeconds === undefined ? {} : { idleSeconds }) });
    }
    return { complete, families };
  }

  /** Whether that were all. */
  async #scan(): Promise<boolean> {
    const { calls, paces } = this.node;
    let cursor = '0';
    let slots = 0;
    do {
      const page = await scanPage(calls, cursor, '*', paces.scan.size);
      const { count } = page;
      paces.tell('scan', count, page.ms);
      cursor = page.cursor;
      slots += count;
      for (const key of page.keys) this.#note(key);
      await calls.rest.take();
    } while (cursor !== '0' && this.#keys < ENOUGH_KEYS && slots < MOST_SLOTS && !this.#isOver);
    return cursor === '0';
  }

  #note(key: Buffer): void {
    this.#keys++;
    const family = this.#familyOf(this.#reader.read(key));
    if (family === null) return;
    this.#counts[family] = (this.#counts[family] ?? 0) + 1;
    const some = this.#some[family];
    if (some !== undefined && some.length < MOST_SIZES) some.push(key.toString('latin1'));
  }

  #familyOf(kind: KeyKind): number | null {
    if (kind === 'heartbeat') return this.#schema.heartbeatFamily;
    return kind === 'remain' ? (this.#schema.templates[this.#reader.template]?.family ?? null) : null;
  }
}

/** Of these keys the longest idle time, in seconds, which asking does not end; `undefined` where Redis does not tell. */
async function longestIdle(calls: Calls, keys: readonly string[]): Promise<number | undefined> {
  if (keys.length === 0) return undefined;
  const { replies } = await calls.sendTogether(keys.map((key) => ['object', ['IDLETIME', key]] as const));
  await calls.rest.take();
  return longest(replies.map((reply) => (typeof reply === 'number' ? reply : undefined)));
}

/** What each of these keys takes, on average; `null` where there are none, or Redis does not tell. */
async function averageSize(calls: Calls, keys: readonly string[]): Promise<number | null> {
  const sizes: number[] = [];
  // The first one alone: who may not ask is refused once for each family.
  for (let from = 0, to = 1; from < keys.length; from = to, to += SIZES_AT_ONCE) {
    const some = keys.slice(from, to);
    const { replies } = await calls.sendTogether(some.map((key) => ['memory', ['USAGE', key]] as const));
    if (replies.some(isRefusal)) return null;
    for (const reply of replies) if (typeof reply === 'number') sizes.push(reply);
    await calls.rest.take();
  }
  return sizes.length === 0 ? null : sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
}
