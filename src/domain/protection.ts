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
  return (id) => compiled.some((parts) => isMatch(parts, id));
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
