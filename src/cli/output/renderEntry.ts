/** renderEntry: what `explain` tells of a name, for people: a fact a sentence, in 80 columns. */
import type { Entry, Owner, Reading, SweptOnce } from '../../explain/entry.ts';
import type { PastOfName } from '../../explain/past.ts';
import { textOf } from '../../domain/nameText.ts';
import { durationOf, howIs, whoIs } from '../../explain/words.ts';
import { plain } from './plain.ts';
import { wrap } from './wrap.ts';

/** Commands mean it where they name none. */
const DEFAULT_TARGET = 'default';
const MARGIN = '  ';
/** Further lines of a sentence. */
const FURTHER = '    ';

const VERDICTS: Readonly<Record<Entry['verdict'], string>> = {
  stays: 'A run keeps it',
  goes: 'A run removes it',
  orphan: 'A run counts it as an orphan and keeps it',
  foreign: 'A run leaves it alone',
};

function instantOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function ownerIn(owner: Owner): string {
  const where = owner.heartbeat === null ? '' : ` (${textOf(owner.heartbeat)})`;
  return `${whoIs(owner)} ${howIs(owner)}${where}.`;
}

/** Words of a name that are nobody's are told together. */
function ownersIn(owners: readonly Owner[]): string[] {
  const known = owners.filter(({ state }) => state !== 'none');
  const nobody = owners.filter(({ state }) => state === 'none');
  const [only] = nobody;
  if (only === undefined) return known.map(ownerIn);
  const rest =
    nobody.length === 1
      ? ownerIn(only)
      : `Nobody who beats, or did of late, is called ${nobody.slice(0, 8).map(whoIs).join(', ')}${nobody.length > 8 ? `, or ${nobody.length - 8} more words of it` : ''}.`;
  return [...known.map(ownerIn), rest];
}

function countsIn(keys: SweptOnce['keys']): string {
  const all = Object.entries(keys);
  const told = all.filter(([, count]) => count !== null).map(([family, count]) => `${count} ${family}`);
  const untold = all.filter(([, count]) => count === null).map(([family]) => family);
  const also = untold.length === 0 ? '' : `${told.length === 0 ? '' : '; '}of ${untold.join(', ')} what there was`;
  return all.length === 0 ? '' : ` What went: ${told.join(', ')}${also}.`;
}

function trashIn({ restoredAtMs, restorableUntilMs }: SweptOnce): string {
  const until = restorableUntilMs === null ? null : instantOf(restorableUntilMs);
  if (restoredAtMs === null) return until === null ? '' : ` It can be restored until ${until}.`;
  const rest = until === null ? '' : `; what was left in the trash can be restored until ${until}`;
  return ` It was given back at ${instantOf(restoredAtMs)}${rest}.`;
}

function sweptIn(once: SweptOnce): string {
  const { run, by, atMs, silenceSeconds, lastBeatAtMs } = once;
  const beat = lastBeatAtMs === null ? '' : ` since ${instantOf(lastBeatAtMs)}`;
  return `${whoIs(once)} was swept by run ${run} (${by}) at ${instantOf(atMs)}, ${durationOf(silenceSeconds)} silent${beat}.${countsIn(once.keys)}${trashIn(once)}`;
}

/** So many ids are named for each way to read a name. */
const MOST_IDS = 8;
const NO_KEY = 'there is no such key now; if there were: ';
const NO_HEARTBEAT = 'there is no such heartbeat now';

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What a run would do, and why; of somebody who was told of already, that is not told again. */
function verdictIn({ kind, owners, verdict, why }: Entry): string {
  const says = VERDICTS[verdict];
  if (why === NO_HEARTBEAT) return `${upper(why)}.`;
  if (why.startsWith(NO_KEY))
    return `There is no such key now. If there were: ${says.replace(/^A/, 'a')}: ${why.slice(NO_KEY.length)}.`;
  const [only, ...others] = owners.filter(({ state }) => state !== 'none');
  if (kind === 'key' || only === undefined) return `${says}: ${why}.`;
  const said = `${whoIs(only)} ${howIs(only)}`;
  if (others.length === 0 && why.startsWith(said)) return `${says}${why.slice(said.length)}.`;
  const isPart = verdict === 'goes' && owners.some(({ lives }) => lives);
  return `${isPart ? 'A run removes only a part of it' : says}: ${why}.`;
}

/** What can be done about it, as commands. */
function waysIn({ owners, swept }: Pick<Entry, 'owners' | 'swept'>, target: string): string[] {
  const ways: string[] = [];
  // Without it a command means this one.
  const of = target === DEFAULT_TARGET ? '' : ` --target ${quoted(target)}`;
  const back = swept.find(({ restorableUntilMs, restoredAtMs }) => restorableUntilMs !== null && restoredAtMs === null);
  if (back !== undefined && (back.restorableUntilMs ?? 0) > Date.now()) {
    ways.push(`To give it back: stalesweep restore${of} ${named(back.coordinator)}`);
  }
  if (owners.some(({ state }) => state === 'held')) {
    ways.push(`To sweep the held at once: stalesweep enqueue --force --wait${of}`);
  }
  if (owners.some(({ state }) => state === 'unreadable')) ways.push('What its writer has to change: stalesweep doctor');
  return ways;
}

/** A name as a command takes it. */
function named(name: Buffer): string {
  const text = quoted(textOf(name));
  return name[0] === 0x2d ? `-- ${text}` : text;
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function headOf({ kind, family, template, readings = [], verdict, swept }: Entry): string[] {
  if (kind === 'coordinator') {
    // Whatever has the form of an id could be one: also a name that was mistyped.
    return [verdict === 'foreign' && swept.length === 0 ? "Read as a coordinator's id." : "A coordinator's id."];
  }
  if (family === null) return ['A key.'];
  const ids = new Set(readings.flatMap((reading) => reading.ids.map(textOf)));
  if (ids.size < 2) return [`A key of family ${family}, read as ${template}.`];
  return [
    `A key of family ${family}. Its name can be read so:`,
    ...readings.map((reading) => `${MARGIN}as ${reading.template}, ${whoseIn(reading, family)}`),
    `Each of them could own it. It goes once one of them is stale and none of them lives: whoever lives decides that it stays.`,
  ];
}

/** Whose a key is, read so. */
function whoseIn({ ids, family }: Reading, counted: string): string {
  const named = ids.slice(0, MOST_IDS).map(textOf).join(', ');
  const more = ids.length > MOST_IDS ? `, or one of ${ids.length - MOST_IDS} more` : '';
  return `${ids.length === 1 ? 'of' : 'of one of'} ${named}${more}${family === counted ? '' : ` (family ${family})`}`;
}

const NOBODY_OF_ID = 'No run that stands in the ledger swept a coordinator of this id.';
const NOBODY_WITH_KEY = 'No run that stands in the ledger swept anybody who could own this key.';

/** What the ledger has of a name whose target does not answer. */
export function renderPast(name: Buffer, { isKey, swept }: PastOfName, target: string): string {
  const known = { owners: [], swept };
  const sentences = [
    'What a run would do with it now is not known: the target does not answer.',
    ...(swept.length > 0 ? swept.map(sweptIn) : [isKey ? NOBODY_WITH_KEY : NOBODY_OF_ID]),
    ...waysIn(known, target).map((way) => way.replace(':', ', once it answers:')),
  ];
  return told(name, sentences);
}

/** The name as it is, then its facts. @param target whose it was asked of */
export function renderEntry(entry: Entry, target = DEFAULT_TARGET): string {
  const sentences = [
    ...headOf(entry),
    ...ownersIn(entry.owners),
    verdictIn(entry),
    ...entry.swept.map(sweptIn),
    ...waysIn(entry, target),
  ];
  return told(entry.name, sentences);
}

function told(name: Buffer, sentences: readonly string[]): string {
  return [plain(textOf(name)), ...sentences.map((one) => wrap(`${MARGIN}${plain(one)}`, FURTHER))].join('\n');
}
