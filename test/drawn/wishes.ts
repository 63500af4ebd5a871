/** wishes: how a drawn world is swept, and the settings that make it so. */
import type { Random } from '../chaos/random.ts';
import { buffer } from './ground.ts';
import { schemaOf } from './layouts.ts';
import { STALE_AFTER, type World } from './world.ts';

/** How it is swept. */
export interface Wishes {
  readonly trash: boolean;
  readonly announce: boolean;
  readonly byTransaction: boolean;
  readonly memoryBudgetBytes: number | undefined;
  /** Side by side. */
  readonly runs: number;
  /** So many come back between two calls, at most. */
  readonly most: number;
  /**
   * When they come: as something is about to be removed, or else most have come by the time it is known who is stale; or while the
   * keyspace is walked, most of them for the first time ever.
   */
  readonly when: 'removing' | 'walking' | 'ever';
  /** With little, each call takes few. */
  readonly callBudget: string;
  /** With any, calls are smaller still, and one is under way at a time. */
  readonly nice: number;
}

/** Not enough for one partition, for the held keys, or for either. */
const MEMORY = [undefined, undefined, 3_000, 12_000, 60_000];

export function drawWishes(random: Random): Wishes {
  return {
    trash: random.between(0, 2) === 0,
    announce: random.between(0, 1) === 0,
    byTransaction: random.between(0, 2) === 0,
    memoryBudgetBytes: random.pick(MEMORY),
    runs: random.between(0, 3) === 0 ? 2 : 1,
    most: random.pick([0, 1, 1, 3, 12]) ?? 0,
    when: random.pick(['removing', 'removing', 'walking', 'walking', 'ever'] as const) ?? 'ever',
    callBudget: random.pick(['2ms', '0.1ms', '0.1ms', '0.1ms']) ?? '2ms',
    nice: random.pick([0, 0.01, 0.01]) ?? 0,
  };
}

export function settingsFor(
  { layout, protect, orphans, outage }: World,
  { trash, announce, callBudget, nice }: Wishes,
): object {
  return {
    restartGrace: outage !== null,
    callBudget,
    nice,
    staleAfter: `${STALE_AFTER}s`,
    schema: 'drawn',
    schemas: { drawn: schemaOf(layout) },
    protect: protect.map((id) => buffer(id).toString()),
    orphans,
    ...(trash ? { trash: '1h' } : {}),
    ...(announce ? { announce: { stream: 'announced' } } : {}),
  };
}

/** What was seen of times in which nobody could beat, by the server's clock. */
export function outagesOf({ outage }: World) {
  return (nowMs: number) =>
    outage === null ? [] : [{ fromAt: nowMs - outage.fromSeconds * 1000, toAt: nowMs - outage.toSeconds * 1000 }];
}
