/** shape: values made of other values, and where in one something does not fit. Without a library: loading one takes
 * as long as starting Node.js, and every command that reads settings would wait for it. */

/** From what was written to what it means; throws `Misfit`. */
export type Value<T> = (written: unknown) => T;

/** What a value does not allow: the sentence that says so, and where under it that stands. */
export class Misfit extends Error {
  constructor(
    sentence: string,
    readonly path: readonly string[] = [],
    /** The name that nobody knows, where that is what is wrong. */
    readonly unknownName?: string,
  ) {
    super(sentence);
  }
}

type Fields = Readonly<Record<string, Value<unknown>>>;
type Given<Shape extends Fields> = { -readonly [Name in keyof Shape]?: ReturnType<Shape[Name]> | undefined };

function meaningOf<T>(value: Value<T>, written: unknown, name: string): T {
  try {
    return value(written);
  } catch (error) {
    throw error instanceof Misfit ? new Misfit(error.message, [name, ...error.path], error.unknownName) : error;
  }
}

/** Names and what stands under them. What stands there instead may hold a password, so no sentence repeats it. */
export function recordIn(written: unknown, sentence: string): Readonly<Record<string, unknown>> {
  if (typeof written === 'object' && written !== null && !Array.isArray(written)) return { ...written };
  throw new Misfit(sentence);
}

/** Fields with these names, and no others. All but the required ones may be left out. */
export function fields<Shape extends Fields>(
  shape: Shape,
  example: string,
  required: readonly (keyof Shape)[] = [],
): Value<Given<Shape>> {
  return (written) => {
    const record = recordIn(written, `must hold settings such as ${example}`);
    const given: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(shape)) {
      if (record[name] === undefined && !required.includes(name)) continue;
      given[name] = meaningOf(value, record[name], name);
    }
    const stray = Object.keys(record).find((name) => !Object.hasOwn(shape, name));
    if (stray !== undefined) throw new Misfit(`unknown setting "${stray}"`, [], stray);
    return given as Given<Shape>;
  };
}

/** Names become part of job ids, metric labels and key names, so they are plain. */
const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** Whether a target or a schema can be called so. */
export function isPlainName(name: string): boolean {
  return PLAIN_NAME.test(name);
}

/** Values under names of the user's own. */
export function named<T>(value: Value<T>, example: string): Value<Record<string, T>> {
  return (written) => {
    const record = recordIn(written, `must hold names, each with settings such as ${example}`);
    const values = Object.entries(record).map(([name, one]): [string, T] => {
      if (!isPlainName(name)) throw new Misfit('a name is made of letters, digits, ".", "_" and "-"', [name]);
      return [name, meaningOf(value, one, name)];
    });
    return Object.fromEntries(values);
  };
}

/** A list of values; `complain` says what is to stand there instead of what does. */
export function listOf<T>(value: Value<T>, complain: (written: unknown) => string): Value<T[]> {
  return (written) => {
    if (!Array.isArray(written)) throw new Misfit(complain(written));
    return written.map((one, i) => meaningOf(value, one, String(i)));
  };
}

/** In double quotes as in JSON, in single quotes where two stand for one, or bare. */
const ITEM = /\s*(?:("(?:[^"\\]|\\.)*")|'((?:[^']|'')*)'|([^,"'[\]{}]*?))\s*(?:,|$)/y;

/**
 * The parts of a list where only a text can stand, as in the environment: `a, b*`, or as in a file, `[a, "b*"]`. Whatever is no text is as it
 * was; so is a text that begins as a list in a file and is none: to take that for a name would be to know nobody by it, in silence.
 */
export function listInText(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const text = value.trim();
  if (!text.startsWith('[')) return text.split(',').map((one) => one.trim());
  const inner = text.endsWith(']') ? text.slice(1, -1).trimEnd() : null;
  if (inner === null) return value;
  const parts: string[] = [];
  for (ITEM.lastIndex = 0; ITEM.lastIndex < inner.length; ) {
    const [, double, single, bare] = ITEM.exec(inner) ?? [];
    const part = double === undefined ? (single?.replaceAll("''", "'") ?? bare) : unescaped(double);
    if (part === undefined) return value;
    parts.push(part);
  }
  return parts;
}

function unescaped(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}
