/** time: instants as people read them: how long ago, and exactly for whoever points at it or comes to it by keyboard. */

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;

/** A span in its largest unit: `3 min`; below a second `now`. */
export function spanOf(milliseconds: number): string {
  const size = Math.abs(milliseconds);
  for (const [unit, name] of UNITS) if (size >= unit) return `${Math.floor(size / unit)} ${name}`;
  return 'now';
}

/** An instant from now, in words: `3 min ago`, `in 3 min`, `now`. The script says the same as time goes on. */
export function relative(atMs: number, nowMs: number): string {
  const span = spanOf(nowMs - atMs);
  if (span === 'now') return span;
  return atMs <= nowMs ? `${span} ago` : `in ${span}`;
}

/** An instant exactly, in UTC. */
export function exact(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

interface TimeProps {
  /** In ms since the epoch; `null` for none, which is a dash. */
  readonly at: number | null;
  /** When the page was made, in ms. */
  readonly now: number;
  /**
   * `relative`: how long ago; `clock`: the time of day, with the date where it is another day; `countdown`: what is left of it,
   * to the second.
   */
  readonly as?: 'relative' | 'clock' | 'countdown';
  /** Whether one comes to it by keyboard; not within links, nor in long tables, whose rows have one that is. */
  readonly focusable?: boolean;
}

/** An instant. Without the script it is UTC, with it in the viewer's zone. */
export function Time({ at, now, as = 'relative', focusable = true }: TimeProps) {
  if (at === null) return <span class="none">–</span>;
  const text = as === 'clock' ? clockOf(at) : as === 'countdown' ? countdownOf(at - now) : relative(at, now);
  return (
    <time
      dateTime={new Date(at).toISOString()}
      data-as={as}
      data-exact={exact(at)}
      tabIndex={focusable ? 0 : undefined}
    >
      {text}
    </time>
  );
}

function clockOf(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(11, 19)} UTC`;
}

/** What is left of a span, as minutes and seconds: `2:41`, `1:02:41`; `due` once it is over. */
export function countdownOf(leftMs: number): string {
  if (leftMs <= 0) return 'due';
  const seconds = Math.ceil(leftMs / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  const [hours = 0, ...rest] = parts;
  const shown = hours > 0 ? [hours, ...rest] : rest;
  return shown.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}
