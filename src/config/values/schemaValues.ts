/** schemaValues: what a key schema may be that a user defines. */
import type { SchemaDefinition } from '../../schema/keySchema.ts';
import { fields, listOf, Misfit, named, recordIn } from './shape.ts';
import { shown, text } from './values.ts';

/** The templates of a key family. */
function family(value: unknown): string | string[] {
  if (typeof value === 'string') return value;
  const isList = Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string');
  if (isList) return value;
  throw new Misfit('a family is a key template or a list of them');
}

/** How many segments an id has, a word each; `null` for one or more, which is written `+`. */
function idShape(value: unknown): number | null {
  const shape = text('a shape such as "host:pid" or "+"')(value);
  if (shape === '+') return null;
  const words = shape.split(':');
  // Who writes a number means how many segments there are.
  if (words.every((word) => /^(?!\d+$)\w+$/.test(word))) return words.length;
  throw new Misfit(
    `${shown(shape)} is no shape of an id; write a word for each segment, such as "host:pid", or "+" for one or more`,
  );
}

function toByteString(word: string): string {
  return Buffer.from(word, 'utf8').toString('latin1');
}

/** The first segment of what is no id. */
function word(value: unknown): string {
  const written = text('a word')(value);
  if (!/[:*]/.test(written)) return written;
  throw new Misfit(`${shown(written)} must be one segment of an id, whole: without ":" or "*"`);
}

const words = listOf(word, (value) => `${shown(value)} must be a list of words such as [ping]`);
const ids = fields({ ids: fields({ shape: idShape, never: words }, 'shape: "+"') }, '');
const families = named(family, 'heartbeat: "beat:{coordinator}"');

/** A key schema: families by name, and what ids look like. */
export function schemaDefinition(value: unknown): SchemaDefinition {
  const { ids: written, ...rest } = recordIn(
    value,
    'must hold names, each with settings such as heartbeat: "beat:{coordinator}"',
  );
  const { ids: given } = ids(written === undefined ? {} : { ids: written });
  if (given === undefined) return { families: families(rest) };
  const { shape: segments = 1, never = [] } = given;
  return { ids: { segments, never: never.map(toByteString) }, families: families(rest) };
}
