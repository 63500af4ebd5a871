/** topology: who is in a cluster and owns what, as its nodes tell (CLUSTER NODES).
 *
 * A node is believed what it says of itself: which slots it owns, and which are being moved from it or to it. Where two claim a slot,
 * the later configuration epoch wins, as in the cluster itself. (https://redis.io/docs/latest/commands/cluster-nodes/)
 */
import { SLOTS } from '../calls/slots.ts';

export interface Member {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly isPrimary: boolean;
  /** Of a replica: whose. */
  readonly primaryId: string;
  /** Whether the others have given it up, or it has no address. */
  readonly isGone: boolean;
  readonly epoch: number;
  readonly slots: readonly number[];
  /** Slots that are being moved from it or to it; only it says so. */
  readonly open: readonly number[];
  /** Of those, the ones that are being moved to it. */
  readonly importing: readonly number[];
  /** The others, each with the id of the node that it is being moved to. */
  readonly leaving: ReadonlyMap<number, string>;
  /** Whether it is the node that was asked. */
  readonly isSelf: boolean;
}

const MOVE = /^\[(\d+)-([<>])-(\w+)\]$/;
const RANGE = /^(\d+)(?:-(\d+))?$/;

function memberIn(line: string, asked: string): Member | null {
  const [id, address = '', flags = '', primaryId = '', , , epoch, , ...rest] = line.split(' ');
  // host:port@bus,name: the host may be an IPv6 address, and is left out by a node that was never told its own.
  const [, host = '', port] = /^(.*):(\d+)(?:@\d+)?(?:,.*)?$/.exec(address) ?? [];
  if (!id || port === undefined) return null;
  const words = flags.split(',');
  const slots: number[] = [];
  const open: number[] = [];
  const importing: number[] = [];
  const leaving = new Map<number, string>();
  for (const word of rest) {
    const [, moving, way, other = ''] = MOVE.exec(word) ?? [];
    if (moving !== undefined) {
      open.push(Number(moving));
      if (way === '<') importing.push(Number(moving));
      else leaving.set(Number(moving), other);
      continue;
    }
    const [all, from, to = from] = RANGE.exec(word) ?? [];
    if (all !== undefined) for (let slot = Number(from); slot <= Number(to); slot++) slots.push(slot);
  }
  return {
    id,
    host: host || asked,
    port: Number(port),
    isPrimary: words.includes('master'),
    primaryId,
    isGone: words.includes('fail') || words.includes('noaddr'),
    epoch: Number(epoch),
    slots,
    open,
    importing,
    leaving,
    isSelf: words.includes('myself'),
  };
}

/** What one node says, itself among the others. @param asked the host by which it was reached */
export function membersIn(reply: string, asked: string): readonly Member[] {
  return reply.split('\n').flatMap((line) => memberIn(line.trim(), asked) ?? []);
}

export class Topology {
  /** By id; each as it says of itself where it was asked, else as the first that was says of it. */
  readonly members: ReadonlyMap<string, Member>;
  /** For each slot the id of its owner; `undefined`: nobody's. */
  readonly owners: readonly (string | undefined)[];
  /** Slots that are being moved. */
  readonly open: ReadonlySet<number>;

  /** @param said what each of the nodes that were asked says */
  constructor(said: readonly (readonly Member[])[]) {
    const members = new Map<string, Member>();
    for (const member of said.flat()) {
      if (member.isSelf || !members.has(member.id)) members.set(member.id, member);
    }
    const owners: (string | undefined)[] = Array.from({ length: SLOTS });
    const isLater = (member: Member, than: Member | undefined) =>
      than === undefined || member.epoch > than.epoch || (member.epoch === than.epoch && member.isSelf);
    for (const member of members.values()) {
      if (!member.isPrimary) continue;
      for (const slot of member.slots) {
        if (isLater(member, members.get(owners[slot] ?? ''))) owners[slot] = member.id;
      }
    }
    this.members = members;
    this.owners = owners;
    this.open = new Set([...members.values()].flatMap(({ open }) => open));
  }

  /** Those that own slots, in the order of their first, then those to which some are being moved. */
  get primaries(): readonly Member[] {
    const all = [...this.members.values()];
    const coming = all.filter(({ importing }) => importing.length > 0).map(({ id }) => id);
    const ids = new Set([...this.owners, ...all.flatMap(({ leaving }) => [...leaving.values()]), ...coming]);
    return [...ids].flatMap((id) => this.members.get(id ?? '') ?? []);
  }

  /** Where keys of a slot are: at its owner, then at those to which it is being moved. */
  holdersOf(slot: number): ReadonlySet<string> {
    const holders = new Set<string>();
    const owner = this.owners[slot];
    if (owner !== undefined) holders.add(owner);
    for (const { id, importing, leaving } of this.members.values()) {
      const to = leaving.get(slot);
      if (to !== undefined) holders.add(to);
      if (importing.includes(slot)) holders.add(id);
    }
    return holders;
  }

  /** The replicas of a node that the others have not given up. */
  replicasOf(id: string): readonly Member[] {
    return [...this.members.values()].filter((one) => !one.isPrimary && !one.isGone && one.primaryId === id);
  }

  /** Slots that nobody owns. */
  get unowned(): readonly number[] {
    return [...this.owners.keys()].filter((slot) => this.owners[slot] === undefined);
  }

  /** The slots of a node. */
  slotsOf(id: string): readonly number[] {
    return [...this.owners.keys()].filter((slot) => this.owners[slot] === id);
  }
}

/**
 * The slots whose keys may have gone from one node to another between two looks: their owner changed, or they began or
 * ended to be moved. One that went and came back shows only by its owner's epoch: where that changed and it gained nothing, all of its slots are meant.
 */
export function movedBetween(before: Topology, after: Topology): ReadonlySet<number> {
  const began = [...after.open].filter((slot) => !before.open.has(slot));
  const ended = [...before.open].filter((slot) => !after.open.has(slot));
  const moved = new Set<number>([...began, ...ended]);
  const gained = new Set<string>();
  for (const [slot, owner] of after.owners.entries()) {
    if (owner === before.owners[slot]) continue;
    moved.add(slot);
    if (owner !== undefined) gained.add(owner);
  }
  for (const { id, epoch } of after.members.values()) {
    const was = before.members.get(id);
    if (was === undefined || was.epoch === epoch || gained.has(id)) continue;
    for (const slot of after.slotsOf(id)) moved.add(slot);
  }
  return moved;
}

/** A node as people are told of it. */
export function nameOf({ host, port }: Member): string {
  return `Redis at ${host}:${port}`;
}
