/** followers: whether what was written to nodes of a cluster would outlast the loss of any of them, and was not lost already.
 *
 * Each node's replica takes over by itself. What was removed on one, and comes back with its replica, after its owner's heartbeat went
 * for good on another, would be nobody's: so a replica must have heard of the one before the other goes.
 *
 * From 7.2 on WAIT goes by what its own connection wrote last: over one that was opened anew it waits for nothing, and replicas are not
 * even asked. So what they say in INFO decides, and they are asked by waiting in vain for one more than there are.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Argument } from '../../call/wire.ts';
import { isRefusal } from '../../rights/refusals.ts';
import { type Info, infoIn } from '../../target/clock.ts';
import type { Node } from '../../target/node.ts';

/** In ms: so long a replica may be behind. One that is silent for longer its primary gives up within a minute, and then it does not count. */
const PATIENCE_MS = 10_000;
const WAIT_MS = 500;
/** A server that does not wait at all must not be asked all the time. */
const PAUSE_MS = 20;

/**
 * Waits until a replica of each of these has all that was written to it; where none follows, nobody can. Resolves to whether that was
 * so in time. Rejects as calls do, and as `insistOnSame` does: what a replica took over without, and gave back, it follows in, too.
 * @param onRefused told where it may not be asked: then it counts as so
 */
export async function areFollowed(nodes: Iterable<Node>, onRefused: () => void): Promise<boolean> {
  const followed = await Promise.all([...nodes].map(async (node) => await isFollowed(node, onRefused)));
  await insistOnSame(nodes);
  return followed.every((is) => is);
}

/** Fails (`UNREACHABLE`) where one of these turned replica and back since it was opened: it may lack beats, and hold what was removed. */
export async function insistOnSame(nodes: Iterable<Node>): Promise<void> {
  await Promise.all([...nodes].map(async (node) => await node.insistOnSame(0)));
}

async function isFollowed(node: Node, onRefused: () => void): Promise<boolean> {
  const ask = async (command: string, args: readonly Argument[]) =>
    (await node.steadily('read', () => node.calls.send(command, args))).reply;
  const read = async () => standingIn(infoIn(String(await ask('info', ['replication']))));
  const until = performance.now() + PATIENCE_MS;
  try {
    const { offset, taken } = await read();
    if (taken.length === 0) return true;
    let wait: readonly number[] = [1, WAIT_MS];
    for (;;) {
      const reached = Number(await ask('wait', wait));
      const now = await read();
      if (now.taken.length === 0) return true;
      // A server that was started anew meanwhile may count from less.
      const all = Math.min(offset, now.offset);
      if (reached > 0 && now.taken.some((bytes) => bytes >= all)) return true;
      if (performance.now() > until) return false;
      wait = [now.taken.length + 1, PAUSE_MS];
      await pause(PAUSE_MS);
    }
  } catch (error) {
    if (!isRefusal(error)) throw error;
    onRefused();
    return true;
  }
}

/**
 * How far a primary is, and how far each replica that has its data had said to be, in bytes; one that is being sent them can't take over.
 * Of a server that does not tell both, WAIT alone decides.
 */
function standingIn(info: Info): { readonly offset: number; readonly taken: readonly number[] } {
  const online = [...info].filter(([name, value]) => /^slave\d+$/.test(name) && value.includes('state=online'));
  return {
    offset: Number(info.get('master_repl_offset') ?? 0),
    taken: online.map(([, value]) => Number(/\boffset=(\d+)/.exec(value)?.[1] ?? Number.POSITIVE_INFINITY)),
  };
}
