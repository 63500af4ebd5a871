/** time: an instant on a page: how long ago, and exactly for whoever points at it or comes to it by keyboard. */
import { clockOf, countdownOf, exact, leftOf, relative } from './instants.ts';

const SAYS = {
  relative,
  clock: clockOf,
  moment: exact,
  countdown: (at: number, now: number) => countdownOf(at - now),
  left: (at: number, now: number) => leftOf(at - now),
} as const;

interface TimeProps {
  /** In ms since the epoch; `null` for none, which is a dash. */
  readonly at: number | null;
  /** When the page was made, in ms. */
  readonly now: number;
  /**
   * `relative`: how long ago; `clock`: the time of day; `moment`: the day, too; `countdown`: what is left until then, to the second;
   * `left`: that in its largest unit.
   */
  readonly as?: keyof typeof SAYS;
  /** Whether one comes to it by keyboard; not within links, nor in long tables, whose rows have one that is. */
  readonly focusable?: boolean;
}

/** Without the script it is UTC, with it in the viewer's zone. */
export function Time({ at, now, as = 'relative', focusable = true }: TimeProps) {
  if (at === null) return <span class="none">–</span>;
  return (
    <time
      dateTime={new Date(at).toISOString()}
      data-as={as}
      data-exact={exact(at)}
      tabIndex={focusable ? 0 : undefined}
    >
      {SAYS[as](at, now)}
    </time>
  );
}
