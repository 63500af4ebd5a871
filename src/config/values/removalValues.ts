/** removal values: what becomes of what is removed, and who is told. */
import { fields, Misfit, type Value } from './shape.ts';
import { duration, number, shown, text } from './values.ts';

const anyDuration = duration(0);
const LEAST_TRASH_MS = 1_000;

/** How long things stay in the trash, in ms; 0 for none. */
export const trash: Value<number> = (value) => {
  const keepMs = anyDuration(value);
  if (keepMs === 0 || keepMs >= LEAST_TRASH_MS) return Math.round(keepMs);
  throw new Misfit(`${shown(value)} must be 0s, which is off, or at least 1s`);
};

/** A channel that is published to, or a stream that is added to and kept at about this many entries. Names are byte strings. */
export type Announce = { readonly channel: string } | { readonly stream: string; readonly maxLength: number };

const announceParts = fields(
  { channel: text('the name of a channel'), stream: text('a key'), maxLength: number(1, 1_000_000_000, true) },
  'channel: "swept"',
);
const DEFAULT_LENGTH = 10_000;

function byteString(name: string): string {
  return Buffer.from(name, 'utf8').toString('latin1');
}

/** Where it is said who was swept; `false` for nowhere. */
export const announce: Value<Announce | false> = (value) => {
  if (value === false || value === 'false') return false;
  const { channel, stream, maxLength } = announceParts(value);
  if (channel !== undefined && stream === undefined && maxLength === undefined) return { channel: byteString(channel) };
  if (stream !== undefined && channel === undefined) {
    return { stream: byteString(stream), maxLength: maxLength ?? DEFAULT_LENGTH };
  }
  throw new Misfit('must name a channel, or a stream with or without maxLength: { channel: "swept" }');
};
