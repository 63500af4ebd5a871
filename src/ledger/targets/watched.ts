/** watched: when somebody last saw a target serve, as long as anybody looks (P10).
 *
 *  Where a target and the queue stand still together, nobody can note that while it lasts, and a run may begin before whoever looks
 *  has looked again. Such a run sees by this that somebody is about to.
 *  Owns      an instant for each target, which is no block: it expires. Several deployments may mean others by the same name, of which one
 *            serves while another does not: so it is each address' own.
 *  Leaves    what follows from it to those who begin a run.
 */
import type { Blocks } from '../blocks.ts';
import { type NamedPlace, watchedName } from '../runs/names.ts';

/** Longer than anything that stands still and comes back, and than a clock jumps that takes it away. */
const KEPT_MS = 400 * 86_400_000;

/** Notes that the target served at this instant of its own clock, in ms. Rejects with the error of Redis. */
export async function noteWatched(blocks: Blocks, target: NamedPlace, atMs: number): Promise<void> {
  await blocks.redis.set(blocks.keyOf(watchedName(target)), String(Math.floor(atMs)), 'PX', KEPT_MS);
}

/** When it was last seen to serve, in ms by its own clock; `null` where nobody looks. Rejects with the error of Redis. */
export async function watchedAt(blocks: Blocks, target: NamedPlace): Promise<number | null> {
  const at = Number((await blocks.redis.get(blocks.keyOf(watchedName(target)))) ?? Number.NaN);
  return Number.isFinite(at) ? at : null;
}

/** Notes that nobody looks any more; whoever still does says so again with the next look. Rejects with the error of Redis. */
export async function forgetWatched(blocks: Blocks, target: NamedPlace): Promise<void> {
  await blocks.redis.unlink(blocks.keyOf(watchedName(target)));
}
