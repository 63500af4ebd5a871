/** schema: a key schema of the caller's own, checked as soon as it is written down. */
import { parseSetting } from '../config/complaint.ts';
import { isPlainName, Misfit } from '../config/values/shape.ts';
import { schemaDefinition } from '../config/values/schemaValues.ts';
import { compileSchema, type KeySchema } from '../schema/keySchema.ts';

/** A schema as it stands under `schemas` in a configuration file. */
export interface SchemaInput {
  /** What ids look like: a word for each `:`-separated segment (`"host:pid"`), `"+"` for one or more; words that no id begins with. */
  readonly ids?: { readonly shape?: string; readonly never?: readonly string[] };
  /** The template of heartbeats, such as `"agents:{coordinator}:beat"`: a string key that holds JSON with the time of the last beat. */
  readonly heartbeat: string;
  /** The templates of everything else a coordinator leaves, by family. `*` stands for any run of characters. */
  readonly [family: string]: string | readonly string[] | SchemaInput['ids'];
}

/** A schema that was found to be right. Made by `defineSchema` alone. */
export interface Schema {
  readonly name: string;
  /** Its families, the heartbeat among them, in the order of reports. */
  readonly families: readonly string[];
}

const written = new WeakMap<Schema, { readonly input: SchemaInput; readonly compiled: KeySchema }>();

/**
 * Checks a schema. Fails (`CONFIG`) with one sentence that names schema, family and template: when there is no heartbeat, when a template
 * does not name `{coordinator}` once, when two coordinators could own the same thing by name alone.
 * @param name what reports and sentences call it: letters, digits, ".", "_" and "-"
 */
export function defineSchema(input: SchemaInput, name = 'own'): Schema {
  const plain = parseSetting(plainName, name, 'defineSchema');
  const compiled = compileSchema(plain, parseSetting(schemaDefinition, input, `schema "${plain}"`));
  const schema: Schema = Object.freeze({ name: plain, families: Object.freeze([...compiled.families]) });
  written.set(schema, { input: structuredClone(input), compiled });
  return schema;
}

/** What was defined. Fails (`CONFIG`) for what `defineSchema` did not make. @internal */
export function definitionOf(schema: Schema): { readonly input: SchemaInput; readonly compiled: KeySchema } {
  return parseSetting(() => known(schema), schema, 'schema');
}

function known(schema: Schema) {
  const found = written.get(schema);
  if (found === undefined) throw new Misfit('must be the name of a schema, or what defineSchema returned');
  return found;
}

function plainName(name: unknown): string {
  if (typeof name === 'string' && isPlainName(name)) return name;
  throw new Misfit('the name of a schema is made of letters, digits, ".", "_" and "-"');
}
