/** table: lists for people, in 80 columns. */
import { createRequire } from 'node:module';
import ms from 'ms';
import { plain } from './plain.ts';

// Loaded when first needed, which is not for JSON.
const require = createRequire(import.meta.url);

/** An instant as ISO 8601 to the second, in UTC; `-` for none. */
export const instant = (iso: string | null): string => (iso === null ? '-' : iso.slice(0, 19).replace('T', ' '));

/** A duration in the form the settings take: `5m`. */
export const duration = (milliseconds: number): string => ms(milliseconds);

/** Columns without lines, as other command-line tools print them. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const Table = require('cli-table3') as typeof import('cli-table3');
  const none = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'];
  const lines = ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'];
  const chars = Object.fromEntries([...none, ...lines].map((part) => [part, '']));
  const made = new Table({
    head: [...head],
    chars: { ...chars, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  made.push(...rows.map((row) => row.map(plain)));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
};
