/** line: a name that others wrote, on one line: where the room ends it is cut in the middle, since its end mostly tells it from its
 * neighbours. It is whole for whoever hears it, copies it, points at it, or comes to its row by key.
 */

/** So much of the end is always shown, by the width of a digit; the stylesheet leaves room for it. */
const END = 8;
/** A shorter name has room everywhere. */
const LEAST = 2 * END;
/** A letter may be many of these, though few are. */
const MOST_OF_END = 16 * END;
/** Letters from here on are mostly as wide as two digits. */
const WIDE_FROM = 0x1100;

const letters = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** How long the end of a name is that is always shown. */
function endOf(text: string): number {
  if (text.length < LEAST) return 0;
  let length = 0;
  let room = END;
  for (const { segment } of [...letters.segment(text.slice(-MOST_OF_END))].reverse()) {
    room -= (segment.codePointAt(0) ?? 0) < WIDE_FROM ? 1 : 2;
    if (room < 0) break;
    length += segment.length;
  }
  return length;
}

interface LineProps {
  readonly text: string;
  /** Where it leads; left out: nowhere. */
  readonly href?: string;
}

export function Line({ text, href }: LineProps) {
  const at = text.length - endOf(text);
  const parts =
    at === text.length ? (
      text
    ) : (
      <>
        <span class="start">{text.slice(0, at)}</span>
        {text.slice(at)}
      </>
    );
  if (href === undefined) {
    return (
      <span class="line" title={text}>
        {parts}
      </span>
    );
  }
  return (
    <a class="line" href={href} title={text}>
      {parts}
    </a>
  );
}
