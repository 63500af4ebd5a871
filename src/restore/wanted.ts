/** wanted: which of the things in a trash are to come back. */
import { Failure } from '../domain/failure.ts';
import { encodeRun, TRASH_PREFIX, type Trashed } from '../redis/trash/names.ts';
import { KeyReader } from '../schema/keyReader.ts';
import type { KeySchema } from '../schema/keySchema.ts';
import type { Search } from './contents.ts';

/** What is to come back: what a coordinator could own, of whichever runs swept it, or all that a run took. */
export type Wanted = { readonly coordinator: Uint8Array } | { readonly run: string };

/** Of a run of the command line, lists show only so much of its id. */
const SHORT_RUN = /^[0-9a-f]{8}$/;

const COLON = 58;

/**
 * Finds what is wanted: heartbeats, or everything else.
 * @param runs of which runs only; `null`: of all
 */
export function searchFor(
  schema: KeySchema,
  wanted: Wanted,
  heartbeats: boolean,
  runs: ReadonlySet<string> | null,
): Search {
  const reader = new KeyReader(schema, true);
  const isWanted = (name: Buffer): boolean => (reader.read(name) === 'heartbeat') === heartbeats;
  if ('run' in wanted) {
    if (wanted.run === '') throw new Failure('USAGE', 'say which run');
    const run = encodeRun(wanted.run);
    const glob = `${TRASH_PREFIX}*:${run}${SHORT_RUN.test(run) ? '*' : ''}:*`;
    const isIt = (one: string) => one === run || (SHORT_RUN.test(run) && one.startsWith(`${run}-`));
    return { glob, wants: (thing) => isIt(thing.run) && isWanted(thing.name) };
  }
  const isOwner = ownedBy(reader, wanted.coordinator);
  const isOfRuns = ({ run }: Trashed) => runs === null || runs.has(run);
  return {
    glob: `${TRASH_PREFIX}*`,
    wants: (thing) => isOfRuns(thing) && isWanted(thing.name) && isOwner(thing.name),
  };
}

/** Whether a name can be read as this coordinator's. */
function ownedBy(reader: KeyReader, coordinator: Uint8Array): (name: Buffer) => boolean {
  const id = Buffer.from(coordinator);
  let segments = 1;
  for (const byte of id) if (byte === COLON) segments++;
  const isIdOf = (name: Buffer, from: number, to: number) =>
    to - from === id.length && id.compare(name, from, to) === 0;
  return (name) => {
    if (reader.read(name) === 'heartbeat') return isIdOf(name, reader.idFrom, reader.idTo);
    let found = false;
    reader.owners(name, segments, ({ idFrom, idTo }) => {
      found = isIdOf(name, idFrom, idTo);
      return found;
    });
    return found;
  };
}
