/** trash: what a target's trash holds. */
import { isoOf } from '../domain/instant.ts';
import type { TrashContents } from '../redis/trash/read.ts';
import type { Finding } from './finding.ts';

/** Says how much there is, how much memory that takes, and how old the oldest is. @param parts what each of its servers holds */
export function trashFinding(parts: readonly TrashContents[]): Omit<Finding, 'target'> {
  const keys = parts.reduce((sum, part) => sum + part.keys, 0);
  const bytes = parts.reduce((sum, part) => sum + (part.bytes ?? 0), 0);
  const oldest = parts.flatMap(({ oldestSecond }) => oldestSecond ?? []);
  const said = [keys === 1 ? '1 key' : `${keys} keys`];
  if (bytes > 0) said.push(`about ${(bytes / 1_000_000).toFixed(1)} MB`);
  if (oldest.length > 0) said.push(`the oldest from ${isoOf(Math.min(...oldest) * 1000) ?? 'long ago'}`);
  return { check: 'trash', status: 'ok', message: keys === 0 ? 'it is empty' : said.join(', '), advice: null };
}
