/** wrap: sentences in lines of 80 columns. */

const COLUMNS = 80;

/**
 * A sentence in as many lines as it takes; a word that is longer than a line has one of its own, whole, to be copied.
 * @param first what its first line begins with
 * @param further and what the others do
 */
export function wrap(sentence: string, first: string, further: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of sentence.split(' ')) {
    const begin = lines.length === 0 ? first : further;
    const next = line === '' ? `${begin}${word}` : `${line} ${word}`;
    if (next.length <= COLUMNS || line === '') {
      line = next;
      continue;
    }
    lines.push(line);
    line = `${further}${word}`;
  }
  return [...lines, line].join('\n');
}
