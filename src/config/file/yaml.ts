/** yaml: what stands in a configuration file, before anybody looks at what it means. */
import { createRequire } from 'node:module';
import type { YAMLError } from 'yaml';
import { Failure } from '../../domain/failure.ts';

// Loaded when first needed, which is where there is a file.
const require = createRequire(import.meta.url);

/** What validation would pass over, or stumble on: `__proto__` as a name, and a value that contains itself. */
function refuseOddities(file: string, content: unknown): void {
  try {
    JSON.stringify(content, (name, value: unknown) => {
      if (name === '__proto__') throw new Failure('CONFIG', `${file}: unknown setting "__proto__"`);
      return value;
    });
  } catch (error) {
    throw error instanceof Failure ? error : new Failure('CONFIG', `${file}: a value contains itself`);
  }
}

function complaintOf({ code, message }: YAMLError): string {
  return code === 'MULTIPLE_DOCS' ? 'it holds several documents' : (message.split('\n')[0] ?? '').replace(/:$/, '');
}

/** The content of a file. Fails (`CONFIG`) with one sentence when it is not YAML, or holds what nobody could mean. */
export function parseYaml(file: string, text: string): unknown {
  const { parseDocument } = require('yaml') as typeof import('yaml');
  const document = parseDocument(text);
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) throw new Failure('CONFIG', `${file}: is not YAML: ${complaintOf(problem)}`);
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    const why = /alias count/i.test(String(error)) ? 'it repeats itself too often' : 'an alias names no anchor';
    throw new Failure('CONFIG', `${file}: is not YAML: ${why}`);
  }
  refuseOddities(file, content);
  return content;
}
