/** replicated: what must not be lost with the server that takes it. Replicas follow a moment later: what a primary answered just
 *  before it died may be gone with it.
 *
 *  Promises  a write counts as done only once a replica has it, where there is one that keeps up; and is done again where the
 *            connection changed meanwhile, since another server may answer then.
 *  Limits    half a second: no replica holds anybody up for longer, and one that lagged is not waited for again at once.
 */
import { corked } from '../call/cork.ts';
import { type Redis, streamOf } from '../connection/ioredis.ts';
import { isRefusal } from '../rights/refusals.ts';

const WAIT_MS = 500;
/** A replica that did not keep up is left alone for so long, in ms. */
const LEFT_ALONE_MS = 5_000;
/** Each connection that is lost within a write asks for one more. */
const ATTEMPTS = 5;

/** Connections on which nobody waits, until when by `performance.now`. */
const notAsked = new WeakMap<Redis, number>();

/**
 * Does what `write` does, as often as it takes; resolves to what it did last, once a replica has it, or half a second later. Rejects
 * as `write` does, and when the connection is lost for good.
 * @param write safe to repeat; all of it goes over this connection
 */
export async function outliving<T>(redis: Redis, write: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const over = streamOf(redis);
    // Asked along with the write, in one call of the system, so that it takes no longer where nobody follows.
    const [following, writing] = corked(redis, () => [followersOf(redis), write()] as const);
    following.catch(() => {});
    const done = await writing;
    const followers = await following;
    // From 7.2 on WAIT goes by what its own connection wrote last. What the one before wrote this one may find done: then replicas
    // are asked all the same where more are waited for than there are.
    if (followers > 0) await wait(redis, attempt === 1 ? 1 : followers + 1);
    if (streamOf(redis) === over || attempt === ATTEMPTS) return done;
  }
}

/** How many follow whom it is worth waiting for. */
async function followersOf(redis: Redis): Promise<number> {
  if (performance.now() < (notAsked.get(redis) ?? 0)) return 0;
  const role = await unlessRefused(redis, async () => await redis.role());
  return Array.isArray(role) && role[0] === 'master' && Array.isArray(role[2]) ? role[2].length : 0;
}

async function wait(redis: Redis, amount: number): Promise<void> {
  const reached = await unlessRefused(redis, async () => await redis.wait(amount, WAIT_MS));
  if (reached === 0) notAsked.set(redis, performance.now() + LEFT_ALONE_MS);
}

/** What is refused once, as rented servers do, is not asked again. */
async function unlessRefused<T>(redis: Redis, ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    notAsked.set(redis, Number.POSITIVE_INFINITY);
    return null;
  }
}
