/** say: the one place that prints: results on standard output, progress on stderr. */

export const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

export const progress = (sentence: string): void => {
  process.stderr.write(`bench: ${sentence}\n`);
};
