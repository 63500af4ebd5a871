/** kept: what a page holds between two marks, or a whole file, is what the code says. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

export const ROOT = join(import.meta.dirname, '../..');

export function textOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** `UPDATE_README=1 npx vitest run test/docs` writes what is expected. */
const writes = Boolean(process.env.UPDATE_README);

export function expectFile(file: string, text: string): void {
  if (writes) writeFileSync(join(ROOT, file), text);
  expect(existsSync(join(ROOT, file)) ? textOf(file) : null).toBe(text);
}

/** @param name the marks are `<!-- name -->` and `<!-- /name -->` */
export function expectBlock(file: string, name: string, text: string): void {
  const written = new RegExp(`<!-- ${name} -->\\n([\\s\\S]*?)\\n?<!-- /${name} -->`);
  if (writes) {
    const page = textOf(file).replace(written, () => `<!-- ${name} -->\n${text}\n<!-- /${name} -->`);
    writeFileSync(join(ROOT, file), page);
  }
  expect(written.exec(textOf(file))?.[1]).toBe(text);
}

/** The members of an interface or a constant, each with its doc comment; a test of its own says that none lacks one. */
export function membersOf(file: string, opening: string): { name: string; about: string }[] {
  const source = textOf(file);
  const from = source.indexOf(opening);
  if (from < 0) throw new Error(`${file} has no "${opening}"`);
  const body = source.slice(from + opening.length, source.indexOf('\n}', from));
  const member = /^ {2}(?:\/\*\*([\s\S]*?)\*\/\n {2})?(?:readonly )?(\w+)\??: /gm;
  return [...body.matchAll(member)].map(([, comment = '', name = '']) => ({
    name,
    about: comment
      .replace(/^\s*\* ?/gm, ' ')
      .replace(/\s+/g, ' ')
      .trim(),
  }));
}

/** A Markdown table; a cell may hold a bar. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}
