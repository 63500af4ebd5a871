/** key schema: which keys a coordinator owns.
 *
 * A schema is a list of families, each with one or more templates; exactly one family is the heartbeat. Compiling it
 * settles, once, what a run asks for every key: whose is it, can it be derived, who else could own it.
 */
import { Failure } from './failure.ts';
import { derive, eachOwner, mayOverlap, type Owner, parseTemplate, sameBinding, type Template } from './template.ts';

export const HEARTBEAT = 'heartbeat';

/** Families as a user writes them: a name, and one template or several. */
export type FamilyTemplates = Readonly<Record<string, string | readonly string[]>>;

/** A template without `*`: its keys are derived from the owner and need no scan. */
export interface DerivedKey {
  readonly family: number;
  readonly template: Template;
  /** No other template can read its keys as somebody else's, so the owner needs no second look. */
  readonly exclusive: boolean;
}

export interface KeySchema {
  readonly name: string;
  /** Family names, in the order written, which is also the report's. A family is known by its position here. */
  readonly families: readonly string[];
  readonly heartbeatFamily: number;
  readonly heartbeat: Template;
  /** Whether a coordinator's heartbeat key follows from its id alone. */
  readonly heartbeatDerivable: boolean;
  readonly derived: readonly DerivedKey[];
  /**
   * Every template of the families that only a scan can find: those that hold a `*`, those whose keys others could own too,
   * and those swept as orphans.
   */
  readonly scanned: readonly Template[];
  /** Those families, by position. */
  readonly scannedFamilies: ReadonlySet<number>;
  /** Families whose orphans are swept, by position. */
  readonly orphanFamilies: ReadonlySet<number>;
  readonly templates: readonly { readonly family: number; readonly template: Template }[];
}

/** Whose key it is: a heartbeat and its one owner, or a family's key and everyone who could own it (P2). */
export type Identity =
  | { readonly heartbeat: true; readonly owner: Owner }
  | {
      readonly heartbeat: false;
      readonly family: number;
      readonly owners: readonly Owner[];
      /** Its name follows from its only owner, so whoever knows the owner need not remember the key. */
      readonly derivable: boolean;
    };

const fail = (schema: string, sentence: string): Failure => new Failure('CONFIG', `schema "${schema}": ${sentence}`);

/** Two templates that are spelled alike name the same keys. */
const spelled = ({ tokens }: Template): string => JSON.stringify(tokens);

/**
 * Compiles a schema. Fails (`CONFIG`) with one sentence when it has no heartbeat, when a heartbeat's name can't be
 * derived, when a template stands there twice, when a key's name can't follow from its owner, or when one coordinator's
 * heartbeat could be another's key.
 * @param orphans families that are to be scanned because their orphans are swept
 */
export const compileSchema = (name: string, written: FamilyTemplates, orphans: readonly string[] = []): KeySchema => {
  const families = Object.keys(written);
  const heartbeatFamily = families.indexOf(HEARTBEAT);
  const templates = families.flatMap((family, index) =>
    [written[family] ?? []].flat().map((text) => {
      try {
        return { family: index, template: parseTemplate(text) };
      } catch (error) {
        throw error instanceof Failure ? fail(name, `family "${family}": ${error.message}`) : error;
      }
    }),
  );
  const heartbeats = templates.filter(({ family }) => family === heartbeatFamily);
  const heartbeat = heartbeats[0]?.template;
  if (heartbeat === undefined) throw fail(name, 'it has no "heartbeat" family; without one nothing can be stale');
  if (heartbeats.length > 1) throw fail(name, 'the heartbeat family must have exactly one template');
  if (heartbeat.wildcard) throw fail(name, `the heartbeat template "${heartbeat.text}" must not hold a *`);

  const others = templates.filter(({ family }) => family !== heartbeatFamily);
  for (const { template } of others) {
    if (template.hasSwarm && !heartbeat.hasSwarm) {
      throw fail(name, `"${template.text}" names {swarm}, but the heartbeat template "${heartbeat.text}" does not`);
    }
    if (mayOverlap(template, heartbeat) && !sameBinding(template, heartbeat)) {
      throw fail(name, `"${template.text}" can match heartbeats ("${heartbeat.text}") of other coordinators`);
    }
    if (spelled(template) === spelled(heartbeat))
      throw fail(name, `"${template.text}" is the heartbeat template already`);
  }
  const fixed = others.filter(({ template }) => !template.wildcard);
  for (const { template: left } of fixed) {
    for (const { template: right } of fixed) {
      if (left === right || !mayOverlap(left, right)) continue;
      if (!sameBinding(left, right)) {
        throw fail(name, `"${left.text}" and "${right.text}" can name the same key for different coordinators`);
      }
      if (spelled(left) === spelled(right)) throw fail(name, `the template "${left.text}" stands there twice`);
    }
  }
  const orphanFamilies = new Set(orphans.map((family) => families.indexOf(family)));
  const exclusive = (own: Template) =>
    others.every(({ template }) => template === own || !mayOverlap(own, template) || sameBinding(own, template));
  const toScan = others.filter(({ template }) => template.wildcard || !exclusive(template)).map(({ family }) => family);
  const scannedFamilies = new Set([...toScan, ...orphanFamilies]);

  return {
    name,
    families,
    heartbeatFamily,
    heartbeat,
    heartbeatDerivable: !heartbeat.hasSwarm,
    derived: fixed.map(({ family, template }) => ({ family, template, exclusive: exclusive(template) })),
    scanned: others.filter(({ family }) => scannedFamilies.has(family)).map(({ template }) => template),
    scannedFamilies,
    orphanFamilies,
    templates: others,
  };
};

const sameOwner = (a: Owner, b: Owner): boolean => a.coordinator === b.coordinator && a.swarm === b.swarm;

/** A name that could belong to more than this many is nobody's: their proof would not fit one step, so it is kept. */
const MOST_OWNERS = 7_000;

/** Whose key this is; `null` when no template matches: then it is not ours to touch (P8). */
export const identify = (schema: KeySchema, key: string): Identity | null => {
  let heartbeat: Owner | undefined;
  eachOwner(schema.heartbeat, key, (owner) => {
    heartbeat = owner;
  });
  if (heartbeat) return { heartbeat: true, owner: heartbeat };

  let family = -1;
  let derivable = false;
  const owners: Owner[] = [];
  for (const candidate of schema.templates) {
    eachOwner(candidate.template, key, (owner) => {
      if (family === -1) family = candidate.family;
      derivable ||= !candidate.template.wildcard;
      if (owners.length > MOST_OWNERS) return;
      if (!owners.some((known) => sameOwner(known, owner))) owners.push(owner);
    });
  }
  return family === -1 || owners.length > MOST_OWNERS
    ? null
    : { heartbeat: false, family, owners, derivable: derivable && owners.length === 1 };
};

/** The heartbeat key of an owner; `null` when it names no swarm and the schema's heartbeats do. */
export const heartbeatKeyOf = (schema: KeySchema, owner: Owner): string | null =>
  schema.heartbeat.hasSwarm && owner.swarm === null ? null : derive(schema.heartbeat, owner);

const IDEMPOTENCY = [
  'blocking:idempotency:{coordinator}',
  'blocking:idempotency:{coordinator}:*',
  'blocking:idempotency:*:{coordinator}',
  'blocking:idempotency:*:{coordinator}:*',
];

/** The schemas that ship. */
export const SHIPPED_SCHEMAS: Readonly<Record<string, FamilyTemplates>> = {
  swarm: {
    [HEARTBEAT]: 'swarm:{swarm}:blocking:heartbeat:{coordinator}',
    signal: 'blocking:signal:{coordinator}',
    ack: 'blocking:ack:{coordinator}:*',
    idempotency: IDEMPOTENCY,
    activity: 'swarm:{swarm}:agent:{coordinator}:activity',
    state: 'swarm:{swarm}:blocking:{coordinator}',
  },
  flat: {
    [HEARTBEAT]: 'blocking:heartbeat:{coordinator}',
    signal: 'blocking:signal:{coordinator}',
    ack: 'blocking:ack:{coordinator}:*',
    idempotency: IDEMPOTENCY,
    activity: 'coordinator:activity:{coordinator}',
    state: 'blocking:state:{coordinator}',
  },
};
