/** say: the one place that prints: results on standard output, progress on stderr. */

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function progress(sentence: string): void {
  process.stderr.write(`bench: ${sentence}\n`);
}
