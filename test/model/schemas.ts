/** schemas: the two that ship, spelled out, and any that a user could write. */
import fc from 'fast-check';
import type { Families, ModelIds } from './model.ts';

/** A schema as a configuration names and spells it. */
export interface WrittenSchema {
  readonly name: 'swarm' | 'flat' | 'claude-flow-novice' | 'mine';
  readonly families: Families;
  readonly ids: ModelIds;
}

const SHARED = {
  signal: ['blocking:signal:{coordinator}'],
  ack: ['blocking:ack:{coordinator}:*'],
  idempotency: [
    'blocking:idempotency:{coordinator}',
    'blocking:idempotency:{coordinator}:*',
    'blocking:idempotency:*:{coordinator}',
    'blocking:idempotency:*:{coordinator}:*',
  ],
};

/** Ids of the systems that these fit. */
const IDS: ModelIds = { segments: null, never: ['heartbeat'] };

/** The default. */
export const SWARM: WrittenSchema = {
  name: 'swarm',
  ids: IDS,
  families: {
    heartbeat: ['swarm:{swarm}:blocking:heartbeat:{coordinator}'],
    ...SHARED,
    activity: ['swarm:{swarm}:agent:{coordinator}:activity'],
    state: ['swarm:{swarm}:blocking:{coordinator}'],
  },
};

/** The one without swarms. */
export const FLAT: WrittenSchema = {
  name: 'flat',
  ids: IDS,
  families: {
    heartbeat: ['blocking:heartbeat:{coordinator}'],
    ...SHARED,
    activity: ['coordinator:activity:{coordinator}'],
    state: ['blocking:state:{coordinator}'],
  },
};

/** The one whose state names a swarm though its heartbeat does not. */
export const NOVICE: WrittenSchema = {
  name: 'claude-flow-novice',
  ids: IDS,
  families: { ...FLAT.families, state: ['swarm:*:blocking:{coordinator}'] },
};

/** One in which nearly every key reads as several templates, of several families. */
export const CROSSED: WrittenSchema = {
  name: 'mine',
  ids: { segments: null, never: ['beat'] },
  families: {
    mail: ['agents:{coordinator}:mail:*', 'agents:*:to-{coordinator}', 'agents:*:to-{coordinator}:*'],
    heartbeat: ['beats:{swarm}:{coordinator}'],
    notes: ['agents:{coordinator}:*', 'agents:*:{coordinator}'],
    locks: ['locks:{swarm}:{coordinator}', 'locks:{coordinator}:*', 'locks:*:{coordinator}:*'],
  },
};

/** Those in which what beats in no swarm, or in one of several segments, reads as other ids and lies among what others left. */
export const NESTED: readonly WrittenSchema[] = ['w:{swarm}:{coordinator}:beat', 'w:{swarm}:beat:{coordinator}'].map(
  (heartbeat) => ({
    name: 'mine',
    ids: { segments: 1, never: ['beat'] },
    families: { notes: ['notes:{coordinator}'], heartbeat: [heartbeat], mail: ['w:{swarm}:{coordinator}:*'] },
  }),
);

/** What may stand in a template as itself: also what SCAN would take for a pattern, and what an id could be. */
const literal = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'ab', 'agents', 'beat', 'mail', 'c1', 'c', '1') },
  fc.constantFrom('?', '[a-z]', '[^a]', ']', '\\', 'a\\b', '^', '-', '日本', 'ü', 'x y', '{', '}', '$&', '.', '\n', ''),
);

/** One segment: a literal, or whatever the template puts there, with or without a literal around it. */
const segment = fc.record({ text: literal, around: fc.constantFrom('none', 'none', 'none', 'head', 'tail') });

/** How one template is made from another, so that they come to overlap. */
const VARIATIONS = {
  same: (template: string) => template,
  'any tail': (template: string) => `${template}:*`,
  'any end': (template: string) => template.replace(/[^:{}*]*$/, '*').replace(/([}*])\*$/, '$1'),
  'any head': (template: string) => template.replace(/(^|:)([^:]*\{coordinator\})/, '$1*:$2'),
  'no wildcard': (template: string) => template.replaceAll('*', 'c1'),
  'no swarm': (template: string) => template.replace('{swarm}', 'c1'),
};

type Variation = keyof typeof VARIATIONS;

interface Recipe {
  readonly lead: string | null;
  readonly segments: readonly { text: string; around: string }[];
  readonly coordinator: number;
  readonly swarm: number | null;
  readonly stars: readonly number[];
  /** Take another template of the schema instead, and vary it: so templates come to overlap. */
  readonly like: { readonly which: number; readonly variation: Variation } | null;
}

const recipe: fc.Arbitrary<Recipe> = fc.record({
  lead: fc.option(literal, { freq: 4 }),
  segments: fc.array(segment, { minLength: 1, maxLength: 4 }),
  coordinator: fc.nat(7),
  swarm: fc.option(fc.nat(7), { freq: 1 }),
  stars: fc.array(fc.nat(7), { maxLength: 2 }),
  like: fc.option(
    fc.record({
      which: fc.nat(7),
      variation: fc.constantFrom(...(Object.keys(VARIATIONS) as Variation[])),
    }),
    { freq: 1 },
  ),
});

function render({ lead, segments, coordinator, swarm, stars }: Recipe, mark: string, wild: boolean): string {
  const slots: (string | null)[] = segments.map(() => null);
  slots[coordinator % segments.length] = '{coordinator}';
  for (const [at, what] of [[swarm, '{swarm}'] as const, ...(wild ? stars.map((star) => [star, '*'] as const) : [])]) {
    if (at !== null) slots[at % segments.length] ??= what;
  }
  const texts = segments.map(({ text, around }, i) => {
    const slot = slots[i];
    if (slot === undefined || slot === null) return text;
    return `${around === 'head' ? text : ''}${slot}${around === 'tail' ? text : ''}`;
  });
  return [...(lead === null ? [] : [`${lead}${mark}`]), ...texts].join(':');
}

const FAMILIES = ['zeta', 'mail', 'locks', 'alpha'];

/**
 * Any schema: two to five families, several templates each, some of which overlap. The configuration refuses some of them,
 * those by which a key's owner could not be told.
 */
export const ownSchema: fc.Arbitrary<WrittenSchema> = fc
  .record({
    ids: fc.record({
      segments: fc.constantFrom(1, 1, 1, null, null, 2),
      never: fc.constantFrom<string[]>([], [], ['a'], ['c1', 'mail']),
    }),
    heartbeat: recipe,
    heartbeatAt: fc.nat(4),
    /** Marks each family's lead, so that most families keep apart. */
    apart: fc.boolean(),
    families: fc.array(fc.array(recipe, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
  })
  .map(({ ids, heartbeat, heartbeatAt, apart, families }) => {
    const beat = render({ ...heartbeat, lead: heartbeat.lead ?? 'hb' }, apart ? '' : '~', false);
    const written = [beat];
    const entries = families
      .map((recipes, family): [string, string[]] => {
        const templates = recipes.map((one) => {
          const given = one.like === null ? undefined : written[one.like.which % written.length];
          const text =
            given !== undefined && one.like !== null
              ? VARIATIONS[one.like.variation](given)
              : render(one, apart ? `${family}` : '', true);
          return beat.includes('{swarm}') ? text : text.replace('{swarm}', 's1');
        });
        // The same template in two families is left out where it has no wildcard: whose its keys are is not settled.
        const fresh = new Set(templates.filter((text) => text.includes('*') || !written.includes(text)));
        written.push(...fresh);
        return [FAMILIES[family] ?? 'more', [...fresh]];
      })
      .filter(([, templates]) => templates.length > 0);
    entries.splice(heartbeatAt % (entries.length + 1), 0, ['heartbeat', [beat]]);
    return { name: 'mine' as const, ids, families: Object.fromEntries(entries) };
  });
