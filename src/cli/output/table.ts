/** table: lists for people, in 80 columns. */
import { createRequire } from 'node:module';
import ms from 'ms';
import { plain } from './plain.ts';
import { COLUMNS } from './wrap.ts';

// Loaded when first needed, which is not for JSON.
const require = createRequire(import.meta.url);

/** An instant as ISO 8601 to the second, in UTC; `-` for none. */
export function instant(iso: string | null): string {
  return iso === null ? '-' : iso.slice(0, 19).replace('T', ' ');
}

/** A duration in the form the settings take: `5m`. */
export function duration(milliseconds: number): string {
  return ms(milliseconds);
}

const GAP = 2;
/** No column is cut to less: what is left still tells one from the other. */
const LEAST = 8;

/** A point in time, as `instant` writes it: without its seconds it still says when. */
const INSTANT = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;
const TO_THE_MINUTE = 16;

/** A cell in this many columns; its end mostly tells it from its neighbours, so it is cut in the middle. JSON has it whole. */
function cut(cell: string, width: number): string {
  const letters = [...cell];
  if (letters.length <= width) return cell;
  if (INSTANT.test(cell)) return cell.slice(0, TO_THE_MINUTE);
  const end = Math.floor((width - 1) / 2);
  return `${letters.slice(0, width - 1 - end).join('')}…${letters.slice(letters.length - end).join('')}`;
}

/** How wide each column may be, so that a line fits: the widest give first. */
function widthsOf(head: readonly string[], rows: readonly (readonly string[])[]): number[] {
  const cells = head.map((name, i) => [name, ...rows.map((row) => row[i] ?? '')]);
  const widths = cells.map((column) => Math.max(...column.map((cell) => [...cell].length)));
  const least = cells.map((column) => (column.some((cell) => INSTANT.test(cell)) ? TO_THE_MINUTE : LEAST));
  let over = widths.reduce((sum, width) => sum + width + GAP, -GAP) - COLUMNS;
  while (over > 0) {
    const giving = widths.map((width, i) => (width > (least[i] ?? 0) ? width : 0));
    const most = Math.max(...giving);
    if (most === 0) break;
    widths[giving.indexOf(most)] = most - 1;
    over--;
  }
  return widths;
}

/** Columns without lines, as other command-line tools print them, in 80 columns. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const Table = require('cli-table3') as typeof import('cli-table3');
  const none = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'];
  const lines = ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'];
  const chars = Object.fromEntries([...none, ...lines].map((part) => [part, '']));
  const made = new Table({
    head: [...head],
    chars: { ...chars, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  const plainRows = rows.map((row) => row.map(plain));
  const widths = widthsOf(head, plainRows);
  made.push(...plainRows.map((row) => row.map((cell, i) => cut(cell, widths[i] ?? LEAST))));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
