/** complaint: what is wrong with a value, in one sentence that names where it stood. */
import { createRequire } from 'node:module';
import { Failure } from '../domain/failure.ts';
import { FILE_NAMES } from './file/file.ts';
import { withoutSecrets } from './values/values.ts';
import { Misfit, type Value } from './values/shape.ts';

// Loaded when first needed, which is once something is misspelled.
const require = createRequire(import.meta.url);

/** Which known name may have been meant, as the end of a sentence; empty when none is near. */
export function suggestion(name: string, known: readonly string[]): string {
  const { closest, distance } = require('fastest-levenshtein') as typeof import('fastest-levenshtein');
  const nearest = closest(name, [...known]);
  const away = distance(name, nearest);
  return away > 0 && away < name.length && away <= Math.max(2, name.length / 3) ? `, did you mean "${nearest}"?` : '';
}

/** A name as one line can show it, whatever it holds; of an address that stands where a name should, no password. */
export function legible(name: string): string {
  return JSON.stringify(withoutSecrets(name)).slice(1, -1);
}

function complain(where: string, { message, path, unknownName }: Misfit): Failure {
  const at = path.map(legible).join('.');
  if (unknownName !== undefined) {
    const under = at === '' ? '' : ` under "${at}"`;
    const meant = suggestion(unknownName, FILE_NAMES);
    return new Failure('CONFIG', `${where}: unknown setting "${legible(unknownName)}"${under}${meant}`);
  }
  return new Failure('CONFIG', `${where}: ${at === '' ? '' : `${at}: `}${message}`);
}

/** Parses one value; fails with a sentence that names where it stood. */
export function parseSetting<T>(schema: Value<T>, value: unknown, where: string): T {
  try {
    return schema(value);
  } catch (error) {
    throw error instanceof Misfit ? complain(where, error) : error;
  }
}
