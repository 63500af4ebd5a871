/** wanted: which of the things in a trash are to come back. */
import { Failure } from '../domain/failure.ts';
import { encodeRun, TRASH_PREFIX } from '../redis/trash/names.ts';
import { KeyReader } from '../schema/keyReader.ts';
import type { KeySchema } from '../schema/keySchema.ts';
import type { Kind, Search } from './contents.ts';

/** What is to come back: what a coordinator could own, of this run or of whichever took it; or all that a run took. */
export type Wanted =
  | { readonly coordinator: Uint8Array; readonly run?: string | undefined }
  | { readonly run: string; readonly coordinator?: undefined };

/** Of a run of the command line, lists show only so much of its id. */
const SHORT_RUN = /^[0-9a-f]{8}$/;

const COLON = 58;

/** Finds what is wanted. Fails (`USAGE`) where a run has no name. @param kinds which of it; left out: all */
export function searchFor(schema: KeySchema, { run, coordinator }: Wanted, kinds?: Kind): Search {
  if (run === '') throw new Failure('USAGE', 'say which run');
  const reader = new KeyReader(schema, true);
  const isOwner = coordinator === undefined ? () => true : ownedBy(reader, coordinator);
  const { glob, isIt } = run === undefined ? ANY_RUN : ofRun(encodeRun(run));
  return {
    glob,
    kindOf: ({ run: of, name }) => {
      if (!isIt(of)) return null;
      const kind = reader.read(name) === 'heartbeat' ? 'heartbeat' : 'thing';
      return (kinds === undefined || kind === kinds) && isOwner(name) ? kind : null;
    },
  };
}

const ANY_RUN = { glob: `${TRASH_PREFIX}*`, isIt: (_: string) => true };

function ofRun(run: string) {
  const isShort = SHORT_RUN.test(run);
  return {
    glob: `${TRASH_PREFIX}*:${run}${isShort ? '*' : ''}:*`,
    isIt: (of: string) => of === run || (isShort && of.startsWith(`${run}-`)),
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
