/** strangers: heartbeats that a schema does not know, of another one that ships and names keys which this one names, too. */
import { KeyReader } from '../../schema/keyReader.ts';
import { compileSchema, type KeySchema } from '../../schema/keySchema.ts';
import { SHIPPED_SCHEMAS } from '../../schema/shipped.ts';
import type { Advice } from './advice.ts';

/** Those who beat by another schema, or by several with the same heartbeats. */
interface Other {
  readonly reader: KeyReader;
  readonly names: readonly string[];
  /** Templates that both have. */
  readonly shared: readonly string[];
  heartbeats: number;
}

function sharedBy({ templates }: KeySchema, other: KeySchema): readonly string[] {
  const own = new Set(templates.map(({ template }) => template.text));
  return other.templates.map(({ template }) => template.text).filter((text) => own.has(text));
}

/** Counts them among the keys that it is shown. */
export class Strangers {
  readonly #others: readonly Other[];

  constructor(private readonly schema: KeySchema) {
    const others = new Map<string, Other>();
    for (const [name, definition] of Object.entries(SHIPPED_SCHEMAS)) {
      const other = compileSchema(name, definition);
      const { text } = other.heartbeat;
      const shared = sharedBy(schema, other);
      if (text === schema.heartbeat.text || shared.length === 0) continue;
      const names = [...(others.get(text)?.names ?? []), `"${name}"`];
      others.set(text, { reader: new KeyReader(other), names, shared, heartbeats: 0 });
    }
    this.#others = [...others.values()];
  }

  /** Notes a key that is nothing to this schema. */
  note(key: Uint8Array): void {
    for (const other of this.#others) if (other.reader.read(key) === 'heartbeat') other.heartbeats++;
  }

  /**
   * What that means, of each schema by which somebody beats here: to a run they are nobody, so what the two schemas both name is taken
   * for an orphan, or for what somebody stale of the same id left.
   */
  advice(): readonly Advice[] {
    const { name } = this.schema;
    return this.#others
      .filter(({ heartbeats }) => heartbeats > 0)
      .map(({ names, shared, heartbeats }) => ({
        message:
          `${heartbeats === 1 ? '1 key is a heartbeat' : `${heartbeats} keys are heartbeats`} of schema ${names.join(' or ')}, ` +
          `which ${heartbeats === 1 ? 'is' : 'are'} nobody's to "${name}", though both name ` +
          `${shared.join(', ')}: such keys of who beats there alone pass for orphans, or go with a stale one of the same id`,
        advice: 'set mode: observe, and list no orphans, until all of them beat by one schema; clean by that',
      }));
  }
}
