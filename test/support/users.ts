/** users: ACL users of a test's Redis, who may do just what is listed. */
import type { TestRedis } from './redis.ts';

/** What a run needs that goes without scripts, on any key. */
export const UNSCRIPTED = ['~*', '+@read', '+unlink', '+info', '+time', '+ping', '+@transaction'];

/** Adds the user, or replaces the one of that name; resolves to the address at which that user logs in. */
export async function addUser(
  { redis, port }: TestRedis,
  rules: readonly string[],
  name = 'stalesweep',
): Promise<string> {
  await redis.call('ACL', 'SETUSER', name, 'reset', 'on', '>secret', ...rules);
  return `redis://${name}:secret@127.0.0.1:${port}`;
}

/** How a run goes, and a user with whom it goes so; `null` is everybody's own. */
export const STRATEGIES = [
  ['script', null],
  ['transaction', UNSCRIPTED],
] as const;

/** The address at which a run goes by that strategy. */
export async function urlFor(server: TestRedis, rules: readonly string[] | null): Promise<string> {
  return rules === null ? server.url : await addUser(server, rules);
}
