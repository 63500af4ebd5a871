/** trash: what a target's trash holds. */
import { isoOf } from '../domain/instant.ts';
import type { Calls } from '../redis/call/calls.ts';
import { readTrash } from '../redis/trash/read.ts';
import type { Finding } from './finding.ts';

/** Says how much there is, how much memory that takes, and how old the oldest is. Walks the whole keyspace, page by page. */
export async function checkTrash(calls: Calls): Promise<Omit<Finding, 'target'>> {
  const { keys, bytes, oldestSecond } = await readTrash(calls);
  const parts = [keys === 1 ? '1 key' : `${keys} keys`];
  if (bytes !== null && keys > 0) parts.push(`about ${(bytes / 1_000_000).toFixed(1)} MB`);
  if (oldestSecond !== null) parts.push(`the oldest from ${isoOf(oldestSecond * 1000) ?? 'long ago'}`);
  return { check: 'trash', status: 'ok', message: keys === 0 ? 'it is empty' : parts.join(', '), advice: null };
}
