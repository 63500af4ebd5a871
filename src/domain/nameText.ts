/** names: ids and keys as people write and read them, whatever bytes they have.
 *
 * A name is its text in UTF-8. One that is no UTF-8 is written as redis-cli prints it: in double quotes, with `\xff` for a byte.
 */

/** In double quotes, with at least one byte spelled out: a name may well begin and end with quotes. */
const QUOTED = /^"(?=.*\\x[0-9a-f]{2})(?:[^"\\]|\\.)*"$/is;
const ESCAPE = /\\(?:x([0-9a-f]{2})|(.))/gis;
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' };

/** The bytes of a name that somebody wrote. */
export function bytesOf(text: string): Buffer {
  if (!QUOTED.test(text)) return Buffer.from(text, 'utf8');
  const inner = Buffer.from(text.slice(1, -1), 'utf8').toString('latin1');
  const bytes = inner.replace(ESCAPE, (_, code: string | undefined, other = '') =>
    code === undefined ? (CONTROLS[other] ?? other) : String.fromCharCode(Number.parseInt(code, 16)),
  );
  return Buffer.from(bytes, 'latin1');
}

/** A name to be read, which `bytesOf` takes for the same one. */
export function textOf(name: Uint8Array): string {
  const text = Buffer.from(name).toString('utf8');
  return Buffer.from(text, 'utf8').equals(name) && !QUOTED.test(text) ? text : quoted(name);
}

function quoted(name: Uint8Array): string {
  const parts = Array.from(name, (byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c
      ? `\\x${byte.toString(16).padStart(2, '0')}`
      : String.fromCharCode(byte),
  );
  return `"${parts.join('')}"`;
}
