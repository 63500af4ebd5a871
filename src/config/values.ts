/** values: what a value may be, and the sentence that says so when it is something else. */
import { parse as parseBytes } from 'bytes';
import { CronExpressionParser } from 'cron-parser';
import ms, { type StringValue } from 'ms';
import { z } from 'zod';
import { urlComplaint } from './redisUrl.ts';

/** As much of a wrong value as a sentence can hold. */
const MOST_SHOWN = 100;

const shown = (value: unknown): string => {
  // JSON has no word for NaN and Infinity, which YAML has.
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
};

/** Milliseconds from a text such as `10m`, at least `leastMs`. A bare number is refused: it could mean anything. */
export const duration = (leastMs: number) =>
  z.unknown().transform((value, context) => {
    const bare = typeof value === 'number' || (typeof value === 'string' && /^\s*[\d.]{1,20}\s*$/.test(value));
    const parsed =
      typeof value === 'string' && value !== '' && !bare && value.length <= 100 ? ms(value as StringValue) : undefined;
    if (parsed !== undefined && Number.isFinite(parsed) && parsed >= leastMs && parsed <= ms('1000d')) return parsed;
    const complaint = bare
      ? `${shown(value)} has no unit; write ${value}s, ${value}m or ${value}ms`
      : parsed === undefined || Number.isNaN(parsed)
        ? `${shown(value)} is not a duration; write one such as 10m, 90s or 2ms`
        : `${shown(value)} must lie between ${ms(leastMs)} and 1000d`;
    context.addIssue({ code: 'custom', message: complaint });
    return z.NEVER;
  });

/** An amount of memory in bytes from a text such as `64MB`, within these limits. A bare number is refused. */
export const memory = (least: string, most: string) =>
  z.unknown().transform((value, context) => {
    const parsed =
      typeof value === 'string' && /^\d{1,9}(\.\d{1,3})?\s*[kmg]b$/i.test(value) ? parseBytes(value) : null;
    if (parsed !== null && parsed >= (parseBytes(least) ?? 0) && parsed <= (parseBytes(most) ?? 0)) return parsed;
    const complaint =
      parsed === null
        ? `${shown(value)} is not an amount of memory; write one such as ${least}, 512MB or 1GB`
        : `${shown(value)} must lie between ${least} and ${most}`;
    context.addIssue({ code: 'custom', message: complaint });
    return z.NEVER;
  });

/** Fields with these names, and no others. What stands there instead may hold a password, so no sentence repeats it. */
export const fields = <Shape extends z.ZodRawShape>(shape: Shape, example: string) =>
  z.strictObject(shape, { error: `must hold settings such as ${example}` });

/** Values under names of the user's own. */
export const named = <Value extends z.ZodType>(value: Value, example: string) =>
  z.record(plainName, value, { error: `must hold names, each with settings such as ${example}` });

/** Names become part of job ids, metric labels and key names, so they are plain. */
const plainName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, { error: 'a name is made of letters, digits, ".", "_" and "-"' });

const numberFrom = (text: unknown): unknown =>
  typeof text === 'string' && /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;

/** A number within these limits, both included. */
export const number = (least: number, most: number, whole: boolean) =>
  z.preprocess(
    numberFrom,
    z.custom<number>(
      (value) =>
        typeof value === 'number' && value >= least && value <= most && (!whole || Number.isSafeInteger(value)),
      { error: ({ input }) => `${shown(input)} must be a ${whole ? 'whole ' : ''}number from ${least} to ${most}` },
    ),
  );

/** One of these words. */
export const oneOf = <T extends string>(...values: readonly T[]) =>
  z.custom<T>((value) => values.includes(value as T), {
    error: ({ input }) => `${shown(input)} is not allowed; use ${values.join(', ')}`,
  });

/** A YAML boolean, or the word for it. */
export const truth = z.preprocess(
  (value) => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean({ error: ({ input }) => `${shown(input)} must be true or false` }),
);

/** A text that is neither empty nor blank. */
export const text = (what: string) =>
  z
    .string({
      error: ({ input }) =>
        input === undefined ? `is missing; it must be ${what}` : `${shown(input)} must be ${what}`,
    })
    .regex(/\S/, { error: `must be ${what}, not empty` });

/** A text that no sentence repeats. */
export const secret = (what: string) => {
  const error = `must be ${what} in quotes, and not empty`;
  return z.string({ error }).regex(/\S/, { error });
};

/** An address that can be connected to; no sentence repeats its password. */
export const redisUrl = text('a Redis URL').check((context) => {
  const complaint = urlComplaint(context.value);
  if (complaint) context.issues.push({ code: 'custom', input: '', message: complaint });
});

/** A cron pattern, with or without seconds. */
export const cron = text('a cron pattern such as "*/5 * * * *"').check((context) => {
  try {
    CronExpressionParser.parse(context.value);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `${shown(context.value)} is not a cron pattern (${why}); write one such as "*/5 * * * *"`;
    context.issues.push({ code: 'custom', input: '', message });
  }
});

/** A time zone that this Node.js knows. */
export const timeZone = text('a time zone such as Europe/Vienna').refine(
  (zone) => {
    try {
      return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }));
    } catch {
      return false;
    }
  },
  { error: ({ input }) => `${shown(input)} is not a time zone; use one such as Europe/Vienna or UTC` },
);

const kept = (age: string, count: number) =>
  fields({ age: duration(1000), count: number(1, 1_000_000, true) }, `age: ${age}`)
    .partial()
    .transform((given) => ({ ageMs: given.age ?? ms(age as StringValue), count: given.count ?? count }));

/** How long finished runs are kept. */
export const history = fields({ completed: kept('7d', 1000), failed: kept('30d', 5000) }, 'completed: { age: 7d }')
  .partial()
  .transform((given) => ({
    completed: given.completed ?? kept('7d', 1000).parse({}),
    failed: given.failed ?? kept('30d', 5000).parse({}),
  }));

/** A list of families; in one text, with commas between them. */
export const names = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',').map((name) => name.trim()) : value),
  z.array(text('a family name'), { error: ({ input }) => `${shown(input)} must be a list such as [ack, signal]` }),
);

/** The templates of a key family. */
const family = z.union([z.string(), z.array(z.string()).min(1)], {
  error: 'a family is a key template or a list of them',
});

/** How many segments an id has, a word each; `+` for one or more. `null` stands for these. */
const idShape = text('a shape such as "host:pid" or "+"').transform((shape, context) => {
  const words = shape.split(':');
  if (shape === '+') return null;
  if (words.every((word) => /^\w+$/.test(word))) return words.length;
  const message = `${shown(shape)} is no shape of an id; write a word for each segment, such as "host:pid", or "+" for one or more`;
  context.issues.push({ code: 'custom', input: shape, message });
  return z.NEVER;
});

const toByteString = (word: string): string => Buffer.from(word, 'utf8').toString('latin1');

const ids = fields(
  {
    shape: idShape,
    never: z.array(text('a word'), { error: ({ input }) => `${shown(input)} must be a list of words such as [ping]` }),
  },
  'shape: "+"',
)
  .partial()
  .transform((given) => ({
    segments: given.shape === undefined ? 1 : given.shape,
    never: (given.never ?? []).map(toByteString),
  }));

/** A key schema: families by name, and what ids look like. */
export const schemaDefinition = z
  .looseObject(
    { ids: ids.optional() },
    { error: 'must hold names, each with settings such as heartbeat: "beat:{coordinator}"' },
  )
  .transform(({ ids: shape, ...rest }, context) => {
    const families = named(family, 'heartbeat: "beat:{coordinator}"').safeParse(rest);
    if (families.success) return { ...(shape === undefined ? {} : { ids: shape }), families: families.data };
    for (const { path, message } of families.error.issues) {
      context.issues.push({ code: 'custom', input: rest, path, message });
    }
    return z.NEVER;
  });
