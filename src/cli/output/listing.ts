/** listing: who goes in a run, as it comes: lines of 80 columns, or JSON. */
import { listedOf } from '../../direct/listed.ts';
import { textOf } from '../../domain/nameText.ts';
import type { Removal } from '../../domain/removal.ts';
import { plain } from './plain.ts';

const COLUMNS = 80;
/** Before the lines on which an entry goes on. */
const INDENT = '    ';
/** A longer name is cut in the middle: its end mostly tells it from its neighbours. JSON has it whole. */
const MOST_NAME = 60;

function nameOf(bytes: Uint8Array): string {
  const name = [...plain(textOf(bytes))];
  if (name.length <= MOST_NAME) return name.join('');
  const half = (MOST_NAME - 1) / 2;
  return `${name.slice(0, Math.ceil(half)).join('')}…${name.slice(-Math.floor(half)).join('')}`;
}

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

/** A silence by its two largest units: `1h 10m`. */
export function silenceOf(seconds: number): string {
  const from = Math.max(
    0,
    UNITS.findIndex(([, length]) => seconds >= length),
  );
  const parts = UNITS.slice(seconds === 0 ? -1 : from).slice(0, 2);
  let rest = seconds;
  const words = parts.map(([unit, length]) => {
    const amount = Math.floor(rest / length);
    rest -= amount * length;
    return amount > 0 ? `${amount}${unit}` : '';
  });
  return words.filter((word) => word !== '').join(' ') || '0s';
}

/** Words one after the other, on as many lines as they take. */
function wrapped(words: readonly string[]): string {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    if (line !== '' && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = `${INDENT}${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}

/** One who goes, for people: things by family, `?` where Redis did not tell how many. */
export function lineOf({ coordinator, swarm, silentSeconds, keys }: Removal, families: readonly string[]): string {
  const things = families.flatMap((family, i) => (keys[i] === 0 ? [] : [`${plain(family)} ${keys[i] ?? '?'}`]));
  const found =
    things.length === 0 ? ['nothing left'] : things.map((one, i) => (i + 1 < things.length ? `${one},` : one));
  const where = swarm === null ? [] : [`in ${nameOf(swarm)},`];
  const id = swarm === null ? `${nameOf(coordinator)},` : nameOf(coordinator);
  return wrapped([id, ...where, `silent for ${silenceOf(silentSeconds)}:`, ...found]);
}

/** The same for programs, as JSON. */
export function jsonOf(removal: Removal, families: readonly string[]): string {
  return JSON.stringify(listedOf(removal, families));
}

export class Listing {
  /**
   * @param families the names of the families, in the order of all counts
   * @param print takes whole lines; the run goes on once it resolves
   */
  constructor(
    private readonly families: readonly string[],
    private readonly json: boolean,
    private readonly print: (lines: string) => Promise<void>,
  ) {}

  /** Told of those of whom the last went, or would. */
  readonly list = async (removals: readonly Removal[]): Promise<void> => {
    const lines = removals.map((removal) => (this.json ? jsonOf : lineOf)(removal, this.families));
    if (lines.length > 0) await this.print(`${lines.join('\n')}\n`);
  };
}
