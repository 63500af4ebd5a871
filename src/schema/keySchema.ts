/** key schema: which keys a coordinator owns.
 *
 * A schema is a list of families, each with one or more templates; exactly one family is the heartbeat. Compiling it
 * settles, once, what a run asks for every key: whose is it, can it be derived, who else could own it.
 */
import { Failure } from '../domain/failure.ts';
import { fitsShape, type IdShape, ONE_SEGMENT } from './ids.ts';
import { areApart, overlap, sameBinding } from './overlap.ts';
import { parseTemplate, type Template } from './template.ts';

export const HEARTBEAT = 'heartbeat';

/** Each is compared with each other, which takes some seconds then, at every start. */
const MOST_TEMPLATES = 10_000;

/** Families as a user writes them: a name, and one template or several. */
export type FamilyTemplates = Readonly<Record<string, string | readonly string[]>>;

/** A schema as it is written. */
export interface SchemaDefinition {
  /** Default: one segment, any word. */
  readonly ids?: IdShape;
  readonly families: FamilyTemplates;
}

/** A template and its family, by the family's position. */
export interface FamilyTemplate {
  readonly family: number;
  readonly template: Template;
}

export interface KeySchema {
  readonly name: string;
  readonly ids: IdShape;
  /** Family names, in the order written, which is also the report's. A family is known by its position here. */
  readonly families: readonly string[];
  readonly heartbeatFamily: number;
  readonly heartbeat: Template;
  /** Whether a coordinator's heartbeat key follows from its id alone. */
  readonly heartbeatDerivable: boolean;
  /** Templates whose keys need no scan: their names follow from the owner, and can be nobody else's. */
  readonly derived: readonly FamilyTemplate[];
  /**
   * Every template of the families that only a scan can find: those that hold a `*`, those whose keys others could own too,
   * and those swept as orphans.
   */
  readonly scanned: readonly FamilyTemplate[];
  /** Families whose orphans are swept, by position. */
  readonly orphanFamilies: ReadonlySet<number>;
  /** All templates but the heartbeat's. */
  readonly templates: readonly FamilyTemplate[];
  /** What stalesweep's own keys begin with, besides what they always do: such keys are nobody's (P8). */
  readonly ownPrefixes: readonly string[];
}

function fail(schema: string, sentence: string): Failure {
  return new Failure('CONFIG', `schema "${schema}": ${sentence}`);
}

/** Two templates that are spelled alike name the same keys. */
function spelled({ tokens }: Template): string {
  return JSON.stringify(tokens);
}

function templatesOf(name: string, written: FamilyTemplates): FamilyTemplate[] {
  return Object.entries(written).flatMap(([family, templates], index) =>
    [templates].flat().map((text) => {
      try {
        return { family: index, template: parseTemplate(text) };
      } catch (error) {
        throw error instanceof Failure ? fail(name, `family "${family}": ${error.message}`) : error;
      }
    }),
  );
}

function heartbeatIn(name: string, templates: readonly FamilyTemplate[], family: number): Template {
  const heartbeats = templates.filter((one) => one.family === family);
  const heartbeat = heartbeats[0]?.template;
  if (heartbeat === undefined) throw fail(name, 'it has no "heartbeat" family; without one nothing can be stale');
  if (heartbeats.length > 1) throw fail(name, 'the heartbeat family must have exactly one template');
  if (heartbeat.wildcard) throw fail(name, `the heartbeat template "${heartbeat.text}" must not hold a *`);
  return heartbeat;
}

/** Throws where a key's owner could not be told, or a template stands there twice. */
function checkApart(name: string, heartbeat: Template, others: readonly FamilyTemplate[], ids: IdShape): void {
  for (const { template } of others) {
    if (template.hasSwarm && !heartbeat.hasSwarm) {
      throw fail(name, `"${template.text}" names {swarm}, but the heartbeat template "${heartbeat.text}" does not`);
    }
    if (spelled(template) === spelled(heartbeat)) {
      throw fail(name, `"${template.text}" is the heartbeat template already`);
    }
    if (!sameBinding(template, heartbeat, ids) && overlap(template, heartbeat, ids)) {
      throw fail(name, `"${template.text}" can match heartbeats ("${heartbeat.text}") of other coordinators`);
    }
  }
  const spellings = new Set<string>();
  for (const { template } of others) {
    if (spellings.has(spelled(template))) throw fail(name, `the template "${template.text}" stands there twice`);
    spellings.add(spelled(template));
  }
  const fixed = others.filter(({ template }) => !template.wildcard);
  for (const [i, { template: left }] of fixed.entries()) {
    for (let j = i + 1; j < fixed.length; j++) {
      const { template: right } = fixed[j] as FamilyTemplate;
      if (areApart(left, right) || sameBinding(left, right, ids) || !overlap(left, right, ids)) continue;
      throw fail(name, `"${left.text}" and "${right.text}" can name the same key for different coordinators`);
    }
  }
}

/** Throws where all keys of a template would pass for the queue's, which are nobody's: what is left of who goes would stay for good. */
function checkForeign(name: string, templates: readonly FamilyTemplate[], ownPrefixes: readonly string[]): void {
  for (const { template } of templates) {
    const own = ownPrefixes.find((prefix) => template.prefix.startsWith(prefix));
    if (own === undefined) continue;
    const sentence = `"${template.text}" begins with "${own}", as the queue's own keys do, which are never swept`;
    throw fail(name, `${sentence}; set another queue.prefix`);
  }
}

/**
 * Compiles a schema. Fails (`CONFIG`) with one sentence when it has no heartbeat, when a heartbeat's name can't be
 * derived, when a template stands there twice, or names only what passes for the queue's keys, when a key's name can't follow from its
 * owner, or when one coordinator's heartbeat could be another's key.
 * @param orphans families that are to be scanned because their orphans are swept
 * @param ownPrefixes what keys begin with that are stalesweep's own, besides the usual ones
 */
export function compileSchema(
  name: string,
  { ids = ONE_SEGMENT, families: written }: SchemaDefinition,
  orphans: readonly string[] = [],
  ownPrefixes: readonly string[] = [],
): KeySchema {
  const families = Object.keys(written);
  const heartbeatFamily = families.indexOf(HEARTBEAT);
  const count = Object.values(written).flat().length;
  if (count > MOST_TEMPLATES) throw fail(name, `it has ${count} templates; more than ${MOST_TEMPLATES} take too long`);
  const templates = templatesOf(name, written);
  const heartbeat = heartbeatIn(name, templates, heartbeatFamily);
  const others = templates.filter(({ family }) => family !== heartbeatFamily);
  checkApart(name, heartbeat, others, ids);
  checkForeign(name, templates, ownPrefixes);

  const orphanFamilies = new Set(orphans.map((family) => families.indexOf(family)));
  // What a scan would find under another template as well is left to the scan: so it counts once.
  const isExclusive = (own: Template) =>
    others.every(
      ({ template }) =>
        template === own ||
        areApart(own, template) ||
        (!template.wildcard && sameBinding(own, template, ids)) ||
        !overlap(own, template, ids),
    );
  const toScan = others.filter(({ template }) => template.wildcard || !isExclusive(template));
  const scannedFamilies = new Set([...toScan.map(({ family }) => family), ...orphanFamilies]);
  return {
    name,
    ids,
    families,
    heartbeatFamily,
    heartbeat,
    heartbeatDerivable: !heartbeat.hasSwarm,
    derived: others.filter(({ family }) => !scannedFamilies.has(family)),
    scanned: others.filter(({ family }) => scannedFamilies.has(family)),
    orphanFamilies,
    templates: others,
    ownPrefixes,
  };
}

/** Whether ids of this schema can have so many segments; those of heartbeats that have others can't be judged (P4). */
export function isIdOf(schema: KeySchema, segments: number): boolean {
  return fitsShape(schema.ids, segments);
}

/** Whether a key that only a scan can find may be one swarm's alone; if not, all of them are whatever swarm their owners are in. */
export function namesSwarms({ scanned }: KeySchema): boolean {
  return scanned.some(({ template }) => template.hasSwarm);
}
