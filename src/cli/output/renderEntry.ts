/** renderEntry: what `explain` tells of a name, for people: a fact a sentence, in 80 columns. */
import type { Entry, Owner, SweptOnce } from '../../explain/entry.ts';
import { textOf } from '../../explain/names.ts';
import { durationOf, howIs, whoIs } from '../../explain/words.ts';
import { plain } from './plain.ts';
import { wrap } from './wrap.ts';

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
  const told = Object.entries(keys).map(([family, count]) => (count === null ? family : `${count} ${family}`));
  return told.length === 0 ? '' : ` What went: ${told.join(', ')}.`;
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

function headOf({ kind, family, template }: Entry): string[] {
  if (kind === 'coordinator') return ["A coordinator's id."];
  return family === null ? ['A key.'] : [`A key of family ${family}, read as ${template}.`];
}

/** The name as it is, then its facts. */
export function renderEntry(entry: Entry): string {
  const sentences = [
    ...headOf(entry),
    ...ownersIn(entry.owners),
    `${VERDICTS[entry.verdict]}: ${entry.why}.`,
    ...entry.swept.map(sweptIn),
  ];
  return [plain(textOf(entry.name)), ...sentences.map((one) => wrap(`${MARGIN}${plain(one)}`, FURTHER))].join('\n');
}
