/** past: what the ledger alone has of a name, whether its target answers or not. */
import type { TargetConfig } from '../config/resolve.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { NamedTarget } from '../ledger/runs/names.ts';
import { KeyReader } from '../schema/keyReader.ts';
import { isIdOf } from '../schema/keySchema.ts';
import type { Owner, SweptOnce } from './entry.ts';
import { pairOf } from './standing.ts';
import { sweptOf } from './swept.ts';

/** As many ids of one name are looked up; a name is seldom read as more. */
const MOST_LOOKED_UP = 64;

/** Who could own a key; in one swarm alone where the name says so. */
type Named = Pick<Owner, 'coordinator' | 'swarm'>;

/** When those who could own a key were swept; where the ledger has the names of what went, only when this one did. */
export async function sweptWith(
  ledger: Ledger,
  target: NamedTarget,
  owners: readonly Named[],
  name: Buffer,
): Promise<readonly SweptOnce[]> {
  if (owners.length === 0) return [];
  const ids = new Map(owners.map(({ coordinator }) => [coordinator.toString('latin1'), coordinator]));
  const swarms = new Set(owners.map(({ coordinator, swarm }) => pairOf(coordinator, swarm)));
  const isAnywhere = owners.some(({ swarm }) => swarm === null);
  const { swept } = await sweptOf(ledger, [...ids.values()].slice(0, MOST_LOOKED_UP), { target, key: name });
  return swept.filter(({ coordinator, swarm }) => isAnywhere || swarms.has(pairOf(coordinator, swarm)));
}

export interface PastOfName {
  /** Whether the schema reads it as a key. */
  readonly isKey: boolean;
  /** The newest first. */
  readonly swept: readonly SweptOnce[];
}

/** When the coordinator of this id was swept, or whoever could own the key of this name. Rejects with the error of the queue's Redis. */
export async function pastOfName(ledger: Ledger, target: TargetConfig, name: Buffer): Promise<PastOfName> {
  const owners = namedBy(target, name);
  const { swept } = await sweptOf(ledger, [name], { target });
  if (owners === null) return { isKey: false, swept };
  const all = [...swept, ...(await sweptWith(ledger, target, owners, name))];
  return { isKey: true, swept: all.toSorted((one, other) => other.atMs - one.atMs) };
}

/** Those whom the name of a key names; `null` where it is none. */
function namedBy({ schema }: TargetConfig, name: Buffer): Named[] | null {
  const reader = new KeyReader(schema, true);
  const kind = reader.read(name);
  if (kind === 'foreign') return null;
  const owners: Named[] = [];
  const add = (idFrom: number, idTo: number, swarmFrom: number, swarmTo: number) => {
    const swarm = swarmFrom === -1 ? null : name.subarray(swarmFrom, swarmTo);
    owners.push({ coordinator: name.subarray(idFrom, idTo), swarm });
  };
  if (kind === 'heartbeat') add(reader.idFrom, reader.idTo, reader.swarmFrom, reader.swarmTo);
  else {
    reader.owners(name, Number.MAX_SAFE_INTEGER, ({ idFrom, idTo, idSegments, swarmFrom, swarmTo }) => {
      if (isIdOf(schema, idSegments)) add(idFrom, idTo, swarmFrom, swarmTo);
      return owners.length >= MOST_LOOKED_UP;
    });
  }
  return owners;
}
