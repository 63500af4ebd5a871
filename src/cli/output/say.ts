/** say: sentences on stderr, which leave standard output to reports. */
import { plain } from './plain.ts';
import { wrap } from './wrap.ts';

/** A sentence under our name: in 80 columns on a terminal, elsewhere in one line. */
export function say(sentence: string): void {
  const whole = `stalesweep: ${plain(sentence)}`;
  console.error(process.stderr.isTTY ? wrap(whole, '  ') : whole);
}
