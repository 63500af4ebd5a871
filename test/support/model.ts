/** model: what DESIGN.md says must be left of a world, worked out without any of the code under test. */

export type Condition = 'active' | 'stale' | 'unreadable';

export interface Coordinator {
  readonly id: string;
  readonly swarm: string;
  readonly condition: Condition;
}

interface Shape {
  readonly family: string;
  /** Named groups: `c` the coordinator, `s` the swarm. */
  readonly patterns: readonly RegExp[];
}

const IDEMPOTENCY = [
  /^blocking:idempotency:(?<c>[^:]+)$/s,
  /^blocking:idempotency:(?<c>[^:]+):.*$/s,
  /^blocking:idempotency:.*:(?<c>[^:]+)$/s,
  /^blocking:idempotency:.*:(?<c>[^:]+):.*$/s,
];

export const SHAPES: Readonly<Record<string, readonly Shape[]>> = {
  swarm: [
    { family: 'heartbeat', patterns: [/^swarm:(?<s>[^:]+):blocking:heartbeat:(?<c>[^:]+)$/s] },
    { family: 'signal', patterns: [/^blocking:signal:(?<c>[^:]+)$/s] },
    { family: 'ack', patterns: [/^blocking:ack:(?<c>[^:]+):.*$/s] },
    { family: 'idempotency', patterns: IDEMPOTENCY },
    { family: 'activity', patterns: [/^swarm:(?<s>[^:]+):agent:(?<c>[^:]+):activity$/s] },
    { family: 'state', patterns: [/^swarm:(?<s>[^:]+):blocking:(?<c>[^:]+)$/s] },
  ],
  flat: [
    { family: 'heartbeat', patterns: [/^blocking:heartbeat:(?<c>[^:]+)$/s] },
    { family: 'signal', patterns: [/^blocking:signal:(?<c>[^:]+)$/s] },
    { family: 'ack', patterns: [/^blocking:ack:(?<c>[^:]+):.*$/s] },
    { family: 'idempotency', patterns: IDEMPOTENCY },
    { family: 'activity', patterns: [/^coordinator:activity:(?<c>[^:]+)$/s] },
    { family: 'state', patterns: [/^blocking:state:(?<c>[^:]+)$/s] },
  ],
};

interface Owner {
  readonly id: string;
  readonly swarm: string | undefined;
}

/** Everyone who could own the key: `{coordinator}` between two `:` of an idempotency key may be any of its segments. */
const ownersOf = ({ family, patterns }: Shape, key: string): Owner[] => {
  const owners = patterns.flatMap((pattern) => {
    const groups = pattern.exec(key)?.groups;
    return groups === undefined ? [] : [{ id: groups.c ?? '', swarm: groups.s }];
  });
  if (family !== 'idempotency' || owners.length === 0) return owners;
  const segments = key.slice('blocking:idempotency:'.length).split(':');
  return segments.filter((segment) => segment !== '').map((id) => ({ id, swarm: undefined }));
};

export interface Expected {
  /** The keys that must be left, sorted. */
  readonly left: readonly string[];
  readonly byFamily: Readonly<Record<string, number>>;
  readonly orphans: number;
}

/**
 * A key goes when one of its possible owners is stale and none is active or unreadable (P2); a swarm in its name narrows
 * who that can be. Orphans, of the families that only a scan can find, are keys of nobody with a heartbeat.
 */
export const expectedOf = (
  schema: string,
  coordinators: readonly Coordinator[],
  keys: readonly string[],
  scanned: readonly string[] = ['ack', 'idempotency'],
): Expected => {
  const shapes = SHAPES[schema] ?? [];
  const byFamily: Record<string, number> = Object.fromEntries(shapes.map(({ family }) => [family, 0]));
  const left: string[] = [];
  let orphans = 0;
  for (const key of keys) {
    const shape = shapes.find((one) => ownersOf(one, key).length > 0);
    const meant = shape === undefined ? [] : ownersOf(shape, key);
    const known = coordinators.filter(({ id, swarm }) =>
      meant.some((owner) => owner.id === id && (owner.swarm === undefined || owner.swarm === swarm)),
    );
    const goes = known.length > 0 && known.every(({ condition }) => condition === 'stale');
    if (shape !== undefined && goes) byFamily[shape.family] = (byFamily[shape.family] ?? 0) + 1;
    else left.push(key);
    if (shape !== undefined && known.length === 0 && scanned.includes(shape.family)) orphans++;
  }
  return { left: left.sort(), byFamily, orphans };
};
