/** instants: points in time as people read them. The script of the pages says the same as time goes on. */

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;

/** A span in its largest unit: `3 min`; below a second `now`. */
function spanOf(milliseconds: number): string {
  const size = Math.abs(milliseconds);
  for (const [unit, name] of UNITS) if (size >= unit) return `${Math.floor(size / unit)} ${name}`;
  return 'now';
}

/** An instant from now, in words: `3 min ago`, `in 3 min`, `now`. */
export function relative(atMs: number, nowMs: number): string {
  const span = spanOf(nowMs - atMs);
  if (span === 'now') return span;
  return atMs <= nowMs ? `${span} ago` : `in ${span}`;
}

/** An instant exactly, in UTC. */
export function exact(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** Its time of day, in UTC. */
export function clockOf(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(11, 19)} UTC`;
}

/** What is left of a span, in its largest unit: `59 min`; `gone` once it is over. */
export function leftOf(leftMs: number): string {
  return leftMs < 1_000 ? 'gone' : spanOf(leftMs);
}

/** What is left of a span, as minutes and seconds: `2:41`, `1:02:41`; `due` once it is over. */
export function countdownOf(leftMs: number): string {
  if (leftMs <= 0) return 'due';
  const seconds = Math.ceil(leftMs / 1000);
  const [hours = 0, ...rest] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  const shown = hours > 0 ? [hours, ...rest] : rest;
  return shown.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}
