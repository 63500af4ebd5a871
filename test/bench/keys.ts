/** keys: the names of the cases' keys, spelled out: contenders must not learn them from the code they compete with. */
import type { Sample, SchemaName } from './sample.ts';

/** How many acknowledgements a coordinator usually has. */
export const ACKS = 2;
/** Of data as the field has them: a swarm's members, who send to one another in a ring. The last swarm may have fewer. */
const SWARM_SIZE = 20;
/** Of the easy data: into how many swarms coordinators are dealt. */
const EASY_SWARMS = 10;

interface Names {
  readonly heartbeat: (id: string, swarm: string) => string;
  readonly activity: (id: string, swarm: string) => string;
  /** The SCAN pattern of all heartbeats. */
  readonly heartbeats: string;
  /** SCAN patterns that find all of the schema's keys, of active coordinators too. */
  readonly everything: readonly string[];
}

const flat: Names = {
  heartbeat: (id) => `blocking:heartbeat:${id}`,
  activity: (id) => `coordinator:activity:${id}`,
  heartbeats: 'blocking:heartbeat:*',
  everything: ['blocking:*', 'coordinator:activity:*'],
};

export const NAMES: Readonly<Record<SchemaName, Names>> = {
  flat,
  swarm: {
    heartbeat: (id, swarm) => `swarm:${swarm}:blocking:heartbeat:${id}`,
    activity: (id, swarm) => `swarm:${swarm}:agent:${id}:activity`,
    heartbeats: 'swarm:*:blocking:heartbeat:*',
    everything: ['blocking:*', 'swarm:*'],
  },
  'claude-flow-novice': flat,
};

/** SCAN patterns of the keys whose names don't follow from an id. */
export const WILDCARDS = ['blocking:ack:*', 'blocking:idempotency:*'];

/** Of the easy data: whose a heartbeat or a wildcard family's key is, and in which swarm. */
export function easyOwnerOf(key: string): { readonly id: string; readonly swarm: string } {
  const segments = key.split(':');
  return segments[0] === 'swarm'
    ? { swarm: segments[1] ?? '', id: segments[4] ?? '' }
    : { swarm: '', id: segments[2] ?? '' };
}

/** Of the easy data: the keys whose names follow from an id, the heartbeat last. */
export function easyDerivedOf(schema: SchemaName, id: string, swarm: string): string[] {
  return [
    `blocking:signal:${id}`,
    `blocking:idempotency:${id}`,
    NAMES[schema].activity(id, swarm),
    NAMES[schema].heartbeat(id, swarm),
  ];
}

/** Every key of the easy coordinator with this number, the heartbeat last. */
export function easyKeysOf({ schema, acks }: Sample, number: number): string[] {
  const id = `coordinator-${number}`;
  const acked = Array.from({ length: acks }, (_, n) => `blocking:ack:${id}:${n + 1}`);
  return [...acked, ...easyDerivedOf(schema, id, `swarm-${number % EASY_SWARMS}`)];
}

function fieldKeysOf({ schema, acks, coordinators, stale }: Sample, number: number, beatAt: number): string[] {
  const swarm = Math.floor(number / SWARM_SIZE);
  const first = swarm * SWARM_SIZE;
  const receiver = first + ((number - first + 1) % Math.min(SWARM_SIZE, coordinators - first));
  const idOf = (of: number) => `${swarm % 2 === 1 ? `swarm-${swarm}:` : ''}coordinator-${of}`;
  const id = idOf(number);
  const next = idOf(receiver);
  const { heartbeat, activity } = NAMES[schema];
  return [
    `blocking:signal:${id}`,
    ...Array.from({ length: acks }, (_, n) => `blocking:ack:${id}:${next}-s${n + 1}`),
    // It is the receiver's as well, and stays while that one lives.
    ...(receiver < stale ? [`blocking:idempotency:${id}:${next}:completion:0:${beatAt}`] : []),
    activity(id, `swarm-${swarm}`),
    heartbeat(id, `swarm-${swarm}`),
  ];
}

/**
 * What goes with the stale coordinator of this number, the heartbeat last.
 * @param beatAt when the stale ones beat last, in ms since the epoch
 */
export function staleKeysOf(sample: Sample, number: number, beatAt: number): string[] {
  return sample.data === 'easy' ? easyKeysOf(sample, number) : fieldKeysOf(sample, number, beatAt);
}

/** How many keys go with all stale coordinators. */
export function staleKeyCount(sample: Sample): number {
  const { stale, coordinators } = sample;
  if (stale === 0) return 0;
  const each = 4 + sample.acks;
  const last = staleKeysOf(sample, Math.min(stale, coordinators) - 1, 0).length;
  // All but the last one send to somebody stale.
  return each * (stale - 1) + last;
}
