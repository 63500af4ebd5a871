/** standing: what a replica says of itself in INFO, as far as that tells whether it may be read. */
import { Failure } from '../../domain/failure.ts';
import type { Info } from '../target/clock.ts';

/**
 * Why this server shows something else than what its primary holds, however long one waits; `null` where it does not. As it goes on
 * after "the replica at … ".
 * @param replid which history the primary has
 */
export function unfitIn(info: Info, replid: string): string | null {
  if (info.get('role') !== 'slave') return 'is a primary';
  // While it is not connected yet it may still say what it was before.
  if (isAttached(info) && info.get('master_replid') !== replid) return 'is the replica of another primary';
  if (info.get('slave_read_only') === '0') {
    return 'takes writes of its own, so it may show what the primary does not; set replica-read-only yes';
  }
  if (isShortOfMemory(info)) {
    return 'has evicted or refused keys at a memory limit of its own, so it may lack heartbeats; set replica-ignore-maxmemory yes, have it synchronize anew, then CONFIG RESETSTAT';
  }
  return null;
}

/** Whether it hears its primary. */
export function isAttached(info: Info): boolean {
  return info.get('master_link_status') === 'up' && info.get('loading') !== '1';
}

/** Whether it ever evicted or refused something. Not of a replica that leaves memory to its primary, unless it was one itself then. */
function isShortOfMemory(info: Info): boolean {
  const count = (name: string) => Number(info.get(name) ?? 0);
  return count('maxmemory') > 0 && (count('evicted_keys') > 0 || info.has('errorstat_OOM'));
}

/** How much of what its primary said it has taken in, in bytes. Fails (`DENIED`) where it does not say. */
export function offsetIn(info: Info, field: 'master_repl_offset' | 'slave_repl_offset', where: string): number {
  const offset = info.get(field);
  if (offset !== undefined) return Number(offset);
  throw new Failure('DENIED', `${where} does not tell ${field} in INFO, so nobody can tell whether its replicas lag`);
}
