/** sample: who the test coordinators are, and what each of them writes, as the field writes it.
 *
 *  Owns      ids, swarms and neighbours; names, values and lifetimes of what they write.
 *  Leaves    the order in which all that is written, and the writing, to populate.
 *  Promises  pure: it reads no clock and no Redis.
 */
import type { IdShape } from '../../schema/ids.ts';
import type { KeySchema } from '../../schema/keySchema.ts';
import { derive, type Template } from '../../schema/template.ts';

export interface Sample {
  readonly coordinators: number;
  /** How many of them are stale; the first ones, so that a multiple of `SWARM_SIZE` makes whole swarms stale. */
  readonly stale: number;
  /** Acknowledgements of each; in a schema of the user's own, keys of each family that holds a `*`. */
  readonly acks: number;
  /** Idempotency keys that each has as their sender; without effect in a schema of the user's own. */
  readonly idempotency: number;
  readonly staleAfterSeconds: number;
  /** How long heartbeats live; left out: until they are removed. */
  readonly ttlMs?: number | undefined;
}

export interface Coordinator {
  readonly number: number;
  readonly id: string;
  readonly swarm: string;
  /** Its neighbours in the ring of its swarm: who sends to it, and whom it sends to. Itself in a swarm of one. */
  readonly previous: string;
  readonly next: string;
  readonly beatAt: number;
  /** The one it is in; its messages are from those before, counted from 0. */
  readonly iteration: number;
}

/** One thing that every coordinator writes. */
export interface Thing {
  readonly template: Template;
  readonly ttlMs: number | null;
  /** What stands for each `*` of its name. */
  readonly rest?: (of: Coordinator) => string;
  readonly value: (of: Coordinator) => string;
}

type Habit = Omit<Thing, 'template'>;

/** Coordinators of a swarm; the last one may have fewer. */
export const SWARM_SIZE = 20;
/** What is written under these is known. Of a schema of the user's own nothing is but its ids and templates. */
const SHIPPED = ['swarm', 'flat', 'claude-flow-novice'];
const HEARTBEAT = 'heartbeat';
/** Only a coordinator that is being blocked has one, and sample coordinators are not. */
const LEFT_OUT = 'state';
/** How much longer than the threshold the stale ones have been silent. */
const SILENT_FOR_SECONDS = 3_600;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The coordinator with this number, counted from 0, at `nowMs` by Redis' clock. */
export function coordinatorOf(schema: KeySchema, sample: Sample, nowMs: number, number: number): Coordinator {
  const swarm = Math.floor(number / SWARM_SIZE);
  const first = swarm * SWARM_SIZE;
  const size = Math.min(SWARM_SIZE, sample.coordinators - first);
  const idAt = (place: number) => idOf(schema.ids, swarm, `coordinator-${first + (place % size)}`);
  const place = number - first;
  const silentSeconds = number < sample.stale ? sample.staleAfterSeconds + SILENT_FOR_SECONDS : 0;
  return {
    number,
    id: idAt(place),
    swarm: `swarm-${swarm}`,
    previous: idAt(place + size - 1),
    next: idAt(place + 1),
    beatAt: nowMs - silentSeconds * 1000,
    iteration: sample.idempotency,
  };
}

/** An id of this shape; where ids may have any number of segments, in every second swarm of two. */
function idOf({ segments, never }: IdShape, swarm: number, name: string): string {
  const count = segments ?? 1 + (swarm % 2);
  const before = Array.from({ length: count - 1 }, (_, nth) => (nth === 0 ? `swarm-${swarm}` : `part-${nth}`));
  let [first = name, ...rest] = [...before, name];
  while (never.includes(first)) first += 'x';
  return [first, ...rest].join(':');
}

/** What every coordinator writes, its heartbeat first. Of a family with several templates, one of them. */
export function thingsOf(schema: KeySchema, sample: Sample): Thing[] {
  const heartbeat = {
    template: schema.heartbeat,
    ttlMs: sample.ttlMs ?? null,
    value: schema.name === 'claude-flow-novice' ? eitherBeatOf : beatOf,
  };
  const others = schema.families.flatMap((family, index) => {
    if (family === HEARTBEAT || family === LEFT_OUT) return [];
    const templates = schema.templates.filter((one) => one.family === index).map(({ template }) => template);
    const habits = SHIPPED.includes(schema.name) ? fieldHabits(family, sample) : null;
    // Idempotency keys may also name one id and nothing else, but it is the two-party ones that the field writes.
    const template = (habits && templates.find(isOpen)) ?? templates[0];
    if (template === undefined) return [];
    return (habits ?? plainHabits(template, sample)).map((habit) => ({ template, ...habit }));
  });
  return [heartbeat, ...others];
}

/** The name of a coordinator's thing, a character a byte. */
export function nameOf({ template, rest }: Thing, of: Coordinator): string {
  const owner = { coordinator: of.id, swarm: of.swarm };
  if (rest === undefined || !isOpen(template)) return derive(template, owner);
  const text = rest(of);
  const tokens = template.tokens.map((token) => (token.kind === 'star' ? ({ kind: 'literal', text } as const) : token));
  return derive({ ...template, tokens }, owner);
}

function isOpen(template: Template): boolean {
  return template.tokens.some(({ kind }) => kind === 'star');
}

function times(count: number, habit: (nth: number) => Habit): Habit[] {
  return Array.from({ length: count }, (_, n) => habit(n + 1));
}

/** As the system does that the shipped schemas were made for; `null` for families it does not have. */
function fieldHabits(family: string, { acks, idempotency }: Sample): Habit[] | null {
  switch (family) {
    case 'signal':
      return [{ ttlMs: DAY_MS, value: signalOf }];
    case 'ack':
      return times(acks, (nth) => ({
        ttlMs: HOUR_MS,
        rest: ({ next }) => `${next}-s${nth}`,
        value: (of) => ackOf(of, nth),
      }));
    case 'idempotency':
      return times(idempotency, (nth) => ({
        ttlMs: DAY_MS,
        rest: ({ next, beatAt }) => `${next}:completion:${nth - 1}:${beatAt}`,
        value: () => '1',
      }));
    case 'activity':
      return [{ ttlMs: null, value: ({ beatAt }) => `${beatAt}` }];
  }
  return null;
}

function plainHabits(template: Template, { acks }: Sample): Habit[] {
  return times(isOpen(template) ? acks : 1, (nth) => ({ ttlMs: null, rest: () => `${nth}`, value: () => '1' }));
}

function beatOf({ id, swarm, iteration, beatAt }: Coordinator): string {
  return JSON.stringify({ coordinatorId: id, swarmId: swarm, status: 'waiting', iteration, timestamp: beatAt });
}

/** That system's tests write the one form, its running code the other. */
function eitherBeatOf(of: Coordinator): string {
  if (of.number % 2 === 0) return beatOf(of);
  const { id, swarm, iteration, beatAt } = of;
  const metadata = { swarmId: swarm, status: 'waiting' };
  return JSON.stringify({ coordinatorId: id, lastHeartbeat: beatAt, sequence: iteration, iteration, metadata });
}

/** Who is signalled owns the key. */
function signalOf({ id, previous, iteration, beatAt }: Coordinator): string {
  return JSON.stringify({ senderId: previous, receiverId: id, type: 'completion', iteration, timestamp: beatAt });
}

function ackOf({ id, next, iteration, beatAt }: Coordinator, nth: number): string {
  return JSON.stringify({ coordinatorId: id, receiverId: next, signalId: `s${nth}`, iteration, timestamp: beatAt });
}
