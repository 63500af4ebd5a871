/** followers: whether what was written to nodes of a cluster would outlast the loss of any of them.
 *
 * Each node's replica takes over by itself. What was removed on one, and comes back with its replica, after its owner's heartbeat went
 * for good on another, would be nobody's: so a replica must have heard of the one before the other goes.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { isRefusal } from '../../rights/refusals.ts';
import { infoIn } from '../../target/clock.ts';
import type { Node } from '../../target/node.ts';

/** In ms: so long a replica may be behind. One that is silent for longer its primary gives up within a minute, and then it does not count. */
const PATIENCE_MS = 10_000;
const WAIT_MS = 500;
/** A server that does not wait at all must not be asked all the time. */
const PAUSE_MS = 20;

/**
 * Waits until a replica of each of these has all that was written to it; where none follows, nobody can. Resolves to whether that was
 * so in time. Rejects as calls do.
 * @param onRefused told where it may not be asked: then it counts as so
 */
export async function areFollowed(nodes: Iterable<Node>, onRefused: () => void): Promise<boolean> {
  const followed = await Promise.all([...nodes].map(async (node) => await isFollowed(node, onRefused)));
  return followed.every((is) => is);
}

async function isFollowed(node: Node, onRefused: () => void): Promise<boolean> {
  const until = performance.now() + PATIENCE_MS;
  try {
    for (;;) {
      // Over a connection that was opened anew WAIT alone would wait for nothing.
      const { reply: info } = await node.steadily('read', () => node.calls.send('info', ['replication']));
      if (!hasReplica(String(info))) return true;
      const { reply: reached } = await node.steadily('read', () => node.calls.send('wait', [1, WAIT_MS]));
      if (Number(reached) > 0) return true;
      if (performance.now() > until) return false;
      await pause(PAUSE_MS);
    }
  } catch (error) {
    if (!isRefusal(error)) throw error;
    onRefused();
    return true;
  }
}

/** Whether one follows that has its data; one that is being sent them can't take over. */
function hasReplica(info: string): boolean {
  return [...infoIn(info)].some(([name, value]) => /^slave\d+$/.test(name) && value.includes('state=online'));
}
