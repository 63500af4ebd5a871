import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './kept.ts';

const LEFT_OUT = new Set(['node_modules', 'dist', '.git']);

function pagesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (LEFT_OUT.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return pagesIn(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '');
}

/** As GitHub makes an anchor of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
}

function anchorsIn(page: string): string[] {
  return [...withoutCode(readFileSync(page, 'utf8')).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    anchorOf(heading),
  );
}

const pages = pagesIn(ROOT).map((page) => relative(ROOT, page));

test.each(pages)('%s leads nowhere that is not there', (page) => {
  const broken = [...withoutCode(readFileSync(join(ROOT, page), 'utf8')).matchAll(/\]\(([^)\s]+)\)/g)].filter(
    ([, link = '']) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [file = '', anchor] = link.split('#');
      const to = file === '' ? join(ROOT, page) : join(ROOT, dirname(page), file);
      if (!existsSync(to)) return true;
      return anchor !== undefined && !(statSync(to).isFile() && anchorsIn(to).includes(anchor));
    },
  );
  expect(broken.map(([, link]) => link)).toEqual([]);
});

test('every page of docs/ can be reached from its table of contents', () => {
  const reached = new Set<string>();
  const open = ['docs/README.md'];
  for (let page = open.pop(); page !== undefined; page = open.pop()) {
    if (reached.has(page)) continue;
    reached.add(page);
    for (const [, link = ''] of readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\(([^)#\s]+\.md)/g)) {
      if (!/^[a-z]+:/.test(link)) open.push(relative(ROOT, join(ROOT, dirname(page), link)));
    }
  }
  expect(pages.filter((page) => page.startsWith('docs/') && !reached.has(page))).toEqual([]);
});
