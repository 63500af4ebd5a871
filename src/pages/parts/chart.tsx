/** chart: what all charts share: bars and dots that stretch to the room there is, and the same numbers as a table behind them.
 *
 * The SVG is stretched without regard to its proportions, so that text, which stands beside it, keeps its size on every screen.
 */
import type { ComponentChildren } from 'preact';

interface BehindProps {
  readonly id: string;
  /** What it tells. */
  readonly about: string;
  readonly children: ComponentChildren;
}

/** Numbers behind a chart: opened by a click or a key. */
export function Behind({ id, about, children }: BehindProps) {
  return (
    <details class="behind" id={id}>
      <summary>
        As a table<span class="unseen">: {about}</span>
      </summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what is scrolled must be reached by key. */}
      <section class="scroll" tabIndex={0} aria-label={about}>
        {children}
      </section>
    </details>
  );
}

export interface Bar {
  readonly count: number;
  /** What is said of it to whoever points at it. */
  readonly title: string;
  /** Where it leads; what is told there must be reached by key from the table behind. */
  readonly href?: string | undefined;
  /** A class for its colour. */
  readonly kind?: string | undefined;
}

const HEIGHT = 100;
/** The smallest bar that can be seen. */
const LEAST = 3;
const GAP = 0.16;

/** Bars side by side, the highest as high as the chart. */
export function Bars({ bars, children }: { readonly bars: readonly Bar[]; readonly children?: ComponentChildren }) {
  const most = Math.max(1, ...bars.map(({ count }) => count));
  return (
    <svg class="bars" viewBox={`0 0 ${bars.length} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      {bars.map(({ count, title, kind, href }, i) => {
        const height = count === 0 ? 0 : Math.max(LEAST, (count / most) * HEIGHT);
        const bar = (
          <rect key={title} class={kind} x={i + GAP / 2} y={HEIGHT - height} width={1 - GAP} height={height}>
            <title>{title}</title>
          </rect>
        );
        if (href === undefined) return bar;
        return (
          <a key={title} href={href} tabIndex={-1}>
            <rect class="room" x={i} y={0} width={1} height={HEIGHT}>
              <title>{title}</title>
            </rect>
            {bar}
          </a>
        );
      })}
      {children}
    </svg>
  );
}

/** An amount in the room of five characters: `987`, `1.2k`, `45k`, `1.2M`. */
export function short(count: number): string {
  if (count < 1_000) return String(count);
  const [size, unit] = count < 999_500 ? [1_000, 'k'] : [1_000_000, 'M'];
  const scaled = count / (size as number);
  return `${scaled < 9.95 ? scaled.toFixed(1) : Math.round(scaled)}${unit}`;
}
