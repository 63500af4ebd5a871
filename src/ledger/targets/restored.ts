/** restored: what was given back from a target's trash, when and by whom, so that nobody is told that it still lies there.
 *  Owns      one block for each Redis that is meant by a target's name: the newest notes, a bounded number. It ages like those of who
 *            was swept.
 */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import type { Blocks } from '../blocks.ts';
import { placeDigestOf } from '../../config/fingerprint.ts';
import { type NamedPlace, restoredName, sharedName, type TargetAt } from '../runs/names.ts';
import { seal, unseal } from '../sealed.ts';
import { restorableUntilMs, type Trashed } from '../swept/restorable.ts';

/** Some 300 bytes each. */
const MOST_NOTES = 128;
const MOST_TEXT = 200;
const ATTEMPTS = 50;
/** Of a run of the command line, lists show only so much of its id, which `restore` takes for it. */
const SHORT_RUN = /^[0-9a-f]{8}$/;

/** Once that something was given back. */
export interface GivenBack {
  /** What this run took; `null`: the last that any did. */
  readonly run: string | null;
  /** What was this coordinator's of it; `null`: all of it. */
  readonly coordinator: Uint8Array | null;
  /** How many keys came back; how many were there again, or had expired, and so stayed in the trash. */
  readonly restored: number;
  readonly existing: number;
  readonly expired: number;
  /** Whether heartbeats came back, too. */
  readonly heartbeats: boolean;
  /** Who asked for it; `null` where that is not known. */
  readonly by: string | null;
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const text = v.string();
const NOTE = v.object({
  atMs: count,
  run: v.nullable(text),
  id: v.nullable(text),
  restored: count,
  existing: count,
  expired: count,
  heartbeats: v.boolean(),
  by: v.nullable(text),
});

/** As it stands in the ledger: `atMs` by the clock of the queue's Redis, the coordinator as a hash, whatever its length. */
export type RestoredNote = v.InferOutput<typeof NOTE>;

function hashOf(id: Uint8Array): string {
  return createHash('sha256').update(id).digest('base64url').slice(0, 22);
}

/** Notes it, as of now. Rejects as `Blocks` do. */
export async function noteRestored(blocks: Blocks, target: NamedPlace, given: GivenBack): Promise<void> {
  const { coordinator, run, by, ...counts } = given;
  const note: RestoredNote = {
    atMs: await blocks.nowMs(),
    run: run?.slice(0, MOST_TEXT) ?? null,
    id: coordinator && hashOf(coordinator),
    ...counts,
    by: by?.slice(0, MOST_TEXT) ?? null,
  };
  const name = restoredName({ target: target.name, place: placeDigestOf(target) });
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const { notes, sealed } = await read(blocks, name);
    const bytes = seal([Buffer.from(JSON.stringify([note, ...notes].slice(0, MOST_NOTES)))]);
    if (await blocks.write(name, bytes, { replaces: sealed, atMs: note.atMs })) return;
  }
  throw new Error('others give back again and again at the same moment');
}

/**
 * The newest first, with those that an older version noted under this name, whichever Redis it meant; none where what stands there can't be
 * read. Rejects as `Blocks` do.
 */
export async function restoredIn(blocks: Blocks, at: TargetAt): Promise<readonly RestoredNote[]> {
  const names = [sharedName('restored', { name: at.target }), ...(at.place === '' ? [] : [restoredName(at)])];
  const notes: RestoredNote[] = [];
  for (const name of names) notes.push(...(await read(blocks, name)).notes);
  return notes.sort((a, b) => b.atMs - a.atMs);
}

async function read(blocks: Blocks, name: string): Promise<{ notes: readonly RestoredNote[]; sealed: Buffer }> {
  for await (const sealed of blocks.read([name])) if (sealed !== null) return { notes: notesIn(sealed), sealed };
  return { notes: [], sealed: Buffer.alloc(0) };
}

function notesIn(sealed: Buffer): readonly RestoredNote[] {
  try {
    return v.parse(v.array(NOTE), JSON.parse(String(unseal(sealed))));
  } catch {
    return [];
  }
}

/** What a run took, or of a coordinator that it swept. */
export interface Taken extends Trashed {
  readonly run: string;
  /** Left out: all that the run took. */
  readonly coordinator?: Uint8Array | undefined;
}

/** The last time that it was given back, all of it; `null` when that was not while it lay in the trash. */
export function givenBack(notes: readonly RestoredNote[], taken: Taken): RestoredNote | null {
  const until = restorableUntilMs(taken);
  if (until === null || notes.length === 0) return null;
  const id = taken.coordinator === undefined ? null : hashOf(taken.coordinator);
  const isIt = (note: RestoredNote) =>
    (note.run === null || isRun(note.run, taken.run)) && (note.id === null || note.id === id);
  return notes.find((note) => taken.atMs <= note.atMs && note.atMs < until && isIt(note)) ?? null;
}

function isRun(asked: string, run: string): boolean {
  return asked === run || (SHORT_RUN.test(asked) && run.startsWith(`${asked}-`));
}

/** Whether some of it stayed in the trash. */
export function leftSome({ heartbeats, existing }: RestoredNote): boolean {
  return !heartbeats || existing > 0;
}
