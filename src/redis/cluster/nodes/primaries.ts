/** primaries: the nodes of a cluster that own slots, for whoever asks each of them something and is no run. */
import type { Address } from '../../../config/values/tls.ts';
import { isClusterNode } from '../../connection/cluster.ts';
import type { Redis } from '../../connection/ioredis.ts';
import { infoIn } from '../../target/clock.ts';
import { tagOf } from '../calls/slots.ts';
import { addressOf, copyAddress } from './address.ts';
import { type Member, membersIn, Topology } from './topology.ts';

export interface Primary {
  readonly address: Address;
  readonly member: Member;
  /** Puts names where this node serves them. */
  readonly tag: string;
  readonly replicas: readonly Address[];
}

/**
 * Those of the cluster that a connection leads into, in the order of their slots; `null` where it leads to no node of one. Rejects
 * with the error of Redis.
 * @param of how it was reached
 */
export async function primariesOf(redis: Redis, of: Address): Promise<readonly Primary[] | null> {
  const info = infoIn(String(await redis.info('cluster').catch(() => '')));
  if (!isClusterNode(info)) return null;
  const reply = String(await redis.call('CLUSTER', 'NODES'));
  const topology = new Topology([membersIn(reply, redis.options.host ?? '')]);
  return topology.primaries.map((member) => ({
    address: addressOf(of, member),
    member,
    tag: tagOf(topology.slotsOf(member.id)[0] ?? 0),
    replicas: topology.replicasOf(member.id).map((one) => copyAddress(of, one)),
  }));
}
