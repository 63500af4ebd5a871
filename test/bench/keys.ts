/** keys: the names of the sample's keys, spelled out: contenders must not learn them from the code they compete with. */

export type SchemaName = 'flat' | 'swarm';

/** Of the easy data: how many acknowledgements a coordinator usually has, and into how many swarms they are dealt. */
export const ACKS = 2;
const SWARMS = 10;

interface Names {
  readonly heartbeat: (id: string, swarm: string) => string;
  readonly activity: (id: string, swarm: string) => string;
  /** The SCAN pattern of all heartbeats. */
  readonly heartbeats: string;
  /** SCAN patterns that find all of the schema's keys, of active coordinators too. */
  readonly everything: readonly string[];
}

export const NAMES: Readonly<Record<SchemaName, Names>> = {
  flat: {
    heartbeat: (id) => `blocking:heartbeat:${id}`,
    activity: (id) => `coordinator:activity:${id}`,
    heartbeats: 'blocking:heartbeat:*',
    everything: ['blocking:*', 'coordinator:activity:*'],
  },
  swarm: {
    heartbeat: (id, swarm) => `swarm:${swarm}:blocking:heartbeat:${id}`,
    activity: (id, swarm) => `swarm:${swarm}:agent:${id}:activity`,
    heartbeats: 'swarm:*:blocking:heartbeat:*',
    everything: ['blocking:*', 'swarm:*'],
  },
};

/** SCAN patterns of the keys whose names don't follow from an id. */
export const WILDCARDS = ['blocking:ack:*', 'blocking:idempotency:*'];

/** Whose a heartbeat or a wildcard family's key is, and in which swarm. */
export const ownerOf = (key: string): { readonly id: string; readonly swarm: string } => {
  const segments = key.split(':');
  return segments[0] === 'swarm'
    ? { swarm: segments[1] ?? '', id: segments[4] ?? '' }
    : { swarm: '', id: segments[2] ?? '' };
};

/** The keys whose names follow from an id, the heartbeat last. */
export const derivedOf = (schema: SchemaName, id: string, swarm: string): string[] => [
  `blocking:signal:${id}`,
  `blocking:idempotency:${id}`,
  NAMES[schema].activity(id, swarm),
  NAMES[schema].heartbeat(id, swarm),
];

/** How many keys each coordinator of the sample has. */
export const keysEach = (acks: number): number => 4 + acks;

/** Every key of the sample's coordinator with this number, the heartbeat last. */
export const sampleKeysOf = (schema: SchemaName, number: number, count = ACKS): string[] => {
  const id = `coordinator-${number}`;
  const acks = Array.from({ length: count }, (_, n) => `blocking:ack:${id}:${n + 1}`);
  return [...acks, ...derivedOf(schema, id, `swarm-${number % SWARMS}`)];
};
