/** wrap: sentences for people, in 80 columns. */

export const COLUMNS = 80;

/**
 * A sentence in as many lines as it takes, each but the first behind `further`; a word that is longer than a line has one of its own,
 * whole, to be copied. What stands before the first word stays.
 */
export function wrap(sentence: string, further: string): string {
  const lines: string[] = [];
  const [margin = ''] = /^ */.exec(sentence) ?? [];
  let line = margin;
  let isEmpty = true;
  for (const word of sentence.slice(margin.length).split(' ')) {
    const next = isEmpty ? `${line}${word}` : `${line} ${word}`;
    if (next.length <= COLUMNS || isEmpty) {
      line = next;
      isEmpty = false;
      continue;
    }
    lines.push(line.trimEnd());
    line = `${further}${word}`;
  }
  return [...lines, line].join('\n');
}

/** A sentence as whoever reads it wants it: wrapped on a terminal; for a program, or a file to be searched, in one line. */
export function fit(sentence: string, further: string): string {
  return process.stdout.isTTY ? wrap(sentence, further) : sentence;
}
