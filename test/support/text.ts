/** text: text of any characters at all. fast-check's own unit `binary` makes a table of a million of them, which takes every process
 * two seconds of CPU.
 */
import fc from 'fast-check';

const FIRST_SURROGATE = 0xd800;
const SURROGATES = 0x800;
const LAST = 0x10ffff;

function characterOf(n: number): string {
  return String.fromCodePoint(n < FIRST_SURROGATE ? n : n + SURROGATES);
}

/** The way back: fast-check puts in words that often do harm, such as `__proto__`, where it knows one. */
function numberOf(text: unknown): number {
  const code = typeof text === 'string' && [...text].length === 1 ? text.codePointAt(0) : undefined;
  if (code === undefined) throw new Error('one character, please');
  return code < FIRST_SURROGATE ? code : code - SURROGATES;
}

const character = fc.integer({ min: 0, max: LAST - SURROGATES }).map(characterOf, numberOf);

/** Any text that has a form in UTF-8: no half of a surrogate pair stands alone in it. */
export function anyText(
  length: { readonly minLength?: number; readonly maxLength?: number } = {},
): fc.Arbitrary<string> {
  return fc.string({ unit: character, ...length });
}
