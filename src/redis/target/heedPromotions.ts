/** heedPromotions: silence on a server that took over from another one counts from then on (P10), as far as anybody remembers when that was. */
import type { Node, NodeWishes } from './node.ts';

/** Lets silence count from when the servers of a target took over, as far as that is known. Before anybody is judged by any of them. */
export async function heedPromotions(
  nodes: readonly Node[],
  { promotedAt }: Pick<NodeWishes, 'promotedAt'>,
): Promise<void> {
  if (promotedAt === undefined) return;
  const nowMs = Math.max(...nodes.map(({ clock }) => clock.nowSeconds)) * 1000;
  const seen = await promotedAt(
    nodes.flatMap(({ promoted }) => promoted ?? []),
    nowMs,
  );
  for (const node of nodes) {
    const sinceMs = seen.get(node.promoted ?? '');
    if (sinceMs !== undefined) node.countSilenceFrom(sinceMs);
  }
}
