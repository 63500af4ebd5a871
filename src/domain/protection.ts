/** protection: ids that are never swept, whatever their heartbeats say. */

/** Tells whether an id, byte by byte, is protected. */
export type Protection = (id: string) => boolean;

/**
 * Compiles patterns in which `*` stands for any run of characters, and every other character for itself; the whole id must match.
 * No pattern protects nobody.
 * @param patterns as a configuration has them; ids are compared by their bytes in UTF-8
 */
export function protectionOf(patterns: readonly string[]): Protection {
  const compiled = patterns.map((pattern) => Buffer.from(pattern, 'utf8').toString('latin1').split('*'));
  const whole = new Set(compiled.flatMap(([only = '', ...others]) => (others.length === 0 ? [only] : [])));
  const open = compiled.filter(({ length }) => length > 1);
  if (open.length <= FEW) return (id) => whole.has(id) || open.some((parts) => isMatch(parts, id));
  const finder = new PatternFinder(open);
  return (id) => whole.has(id) || finder.some(id, (parts) => isMatch(parts, id));
}

/** So few are compared each faster than found. */
const FEW = 8;
/** So many characters in a row make one number below 2^24. */
const MOST_IN_ROW = 3;

/** The texts between the `*` of a pattern. */
type Parts = readonly string[];

/**
 * Finds, of many patterns, the few that a text could match: each stands under some characters in a row that it asks for, those under
 * which fewest stand. Texts and patterns are byte strings.
 */
export class PatternFinder {
  /** By how many characters they are, less one, then by these. */
  readonly #byRow = Array.from({ length: MOST_IN_ROW }, () => new Map<number, Parts[]>());
  /** Those that ask for nothing. */
  readonly #any: Parts[] = [];

  constructor(patterns: readonly Parts[]) {
    for (const parts of patterns) this.#placeFor(parts).push(parts);
  }

  #placeFor(parts: Parts): Parts[] {
    const length = Math.min(MOST_IN_ROW, Math.max(...parts.map((part) => part.length)));
    const rows = this.#byRow[length - 1];
    if (rows === undefined) return this.#any;
    let best: Parts[] | undefined;
    for (const part of parts) {
      for (let at = 0; at + length <= part.length; at++) {
        const row = rowAt(part, at, length);
        const there = rows.get(row);
        if (there === undefined) {
          const fresh: Parts[] = [];
          rows.set(row, fresh);
          return fresh;
        }
        if (best === undefined || there.length < best.length) best = there;
      }
    }
    return best as Parts[];
  }

  /** Whether this holds of any that the text could match; it may be asked of one twice. */
  some(text: string, is: (parts: Parts) => boolean): boolean {
    if (this.#any.some(is)) return true;
    for (let length = 1; length <= MOST_IN_ROW; length++) {
      const rows = this.#byRow[length - 1];
      if (rows === undefined || rows.size === 0) continue;
      for (let at = 0; at + length <= text.length; at++) {
        if (rows.get(rowAt(text, at, length))?.some(is)) return true;
      }
    }
    return false;
  }
}

function rowAt(text: string, at: number, length: number): number {
  let row = 0;
  for (let i = at; i < at + length; i++) row = (row << 8) | text.charCodeAt(i);
  return row;
}

/**
 * Whether an id of more or fewer segments than ids have here, or with an empty one, could be protected.
 * @param fits whether ids have so many segments
 */
export function protectsOthers(patterns: readonly string[], fits: (segments: number) => boolean): boolean {
  return patterns.some((pattern) => {
    const segments = pattern.split(':');
    return pattern.includes('*') || segments.includes('') || !fits(segments.length);
  });
}

/** Whether a text is these parts with anything between them. Each is taken where it comes first, so no text is read again. */
function isMatch([first = '', ...others]: readonly string[], text: string): boolean {
  const last = others.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
