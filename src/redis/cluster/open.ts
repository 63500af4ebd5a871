/** open: a cluster as a target: its nodes, and the place where a run asks and removes. */
import type { Clock } from '../../domain/heartbeat.ts';
import { merged, type Outage } from '../../domain/outages.ts';
import { Rest } from '../call/rest.ts';
import type { Link } from '../target/link.ts';
import type { NodeWishes } from '../target/node.ts';
import type { Place } from '../target/place.ts';
import { heedPromotions } from '../target/heedPromotions.ts';
import { Target, type TargetParts } from '../target/target.ts';
import { Copies } from './nodes/copies.ts';
import { Members, type MembersParts } from './nodes/members.ts';
import { SlotWatch } from './nodes/slotWatch.ts';
import { Whole } from './whole.ts';

/**
 * Opens all nodes that own slots, and settles what killed runs left aside. Fails as opening one does, or with `UNREACHABLE` where a
 * part can't be judged.
 * @param seed leads to one of the cluster's nodes; it is closed
 */
export async function openCluster(seed: Link, parts: Omit<MembersParts, 'rest'>): Promise<Target> {
  const { settings, stopwatch, wishes } = parts;
  const rest = new Rest(settings.nice);
  const said = saidOnce({ ...wishes, isSpared: settings.readFrom === 'replica' });
  const copies = settings.readFrom === 'replica' ? new Copies({ settings, stopwatch, wishes: said }) : null;
  const members = await openMembers(seed, { ...parts, rest, wishes: said }, copies);
  seed.close();
  try {
    await heedPromotions(members.nodes, wishes);
    const clock = clockOfAll(members.nodes.map((node) => node.clock));
    const lapsedClock = clockOfAll(members.nodes.map((node) => node.lapsedClock));
    const whole = new Whole(members, clock, rest, stopwatch, { signal: wishes.signal, warn: said.warn });
    if (!wishes.dryRun) await whole.settleLeft();
    const watch = new SlotWatch(members);
    const own: TargetParts = {
      nodes: () => members.nodes,
      primaries: () => members.nodes,
      whole,
      reads: whole,
      copy: null,
      lapsedClock,
      moves: watch,
      births: null,
      close: () => {
        copies?.close();
        members.close();
      },
    };
    return new Target(
      settings,
      copies === null ? own : copiedParts(own, { copies, members, whole, watch, wishes }),
      stopwatch,
    );
  } catch (error) {
    copies?.close();
    members.close();
    throw error;
  }
}

async function openMembers(seed: Link, parts: MembersParts, copies: Copies | null): Promise<Members> {
  if (copies === null) return await Members.open(seed, parts);
  try {
    const opened: MembersParts['opened'] = async (...of) => await copies.open(...of);
    return await Members.open(seed, { ...parts, opened });
  } catch (error) {
    copies.close();
    throw error;
  }
}

interface Copied {
  readonly copies: Copies;
  readonly members: Members;
  readonly whole: Whole;
  readonly watch: SlotWatch;
  readonly wishes: Pick<NodeWishes, 'dryRun'>;
}

/** The same cluster, looked at by its replicas; where nothing is removed, everything is asked of them. */
function copiedParts(own: TargetParts, { copies, members, whole, watch, wishes }: Copied): TargetParts {
  const reads = copies.whole(members, whole);
  return {
    ...own,
    nodes: () => members.nodes.map((node) => copies.of(node)) as readonly Place[] as readonly [Place, ...Place[]],
    whole: wishes.dryRun ? reads : whole,
    reads,
    copy: copies.namesOf(members.nodes),
    moves: copies.watching(watch),
  };
}

/** What every node says is told once, and what was seen of the target's outages asked for once. */
function saidOnce(wishes: NodeWishes): NodeWishes {
  const said = new Set<string>();
  let outages: Promise<readonly Outage[]> | null = null;
  const warn = (sentence: string) => {
    if (said.has(sentence)) return;
    said.add(sentence);
    wishes.warn(sentence);
  };
  const ask = wishes.outages;
  if (ask === undefined) return { ...wishes, warn };
  const asked = async (nowMs: number) => {
    outages ??= ask(nowMs);
    return await outages;
  };
  return { ...wishes, warn, outages: asked };
}

/** By which nobody seems more silent than by that of any node. */
function clockOfAll(clocks: readonly Clock[]): Clock {
  const since = clocks.flatMap(({ upSeconds }) => upSeconds ?? []);
  return {
    nowSeconds: Math.min(...clocks.map(({ nowSeconds }) => nowSeconds)),
    upSeconds: since.length === 0 ? null : Math.min(...since),
    outages: merged(clocks.flatMap(({ outages }) => outages)),
    evicts: clocks.some(({ evicts }) => evicts),
  };
}
