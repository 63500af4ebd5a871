import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { expect, test } from 'vitest';
import { expectBlock, ROOT, textOf } from './kept.ts';

/** The folder of `src/` that a file lies in, or `workers`. */
function roomOf(path: string): string {
  const [top = '', room = ''] = relative(ROOT, path).split(sep);
  return top === 'src' ? room : top;
}

function importsOf(): Map<string, Set<string>> {
  const imports = new Map<string, Set<string>>();
  for (const top of ['src', 'workers']) {
    for (const name of readdirSync(join(ROOT, top), { recursive: true }).map(String)) {
      if (!/\.(tsx?|mjs)$/.test(name)) continue;
      const path = join(ROOT, top, name);
      const room = roomOf(path);
      const into = imports.get(room) ?? new Set();
      imports.set(room, into);
      for (const [, from = ''] of readFileSync(path, 'utf8').matchAll(/(?:from|import)\s*\(?['"](\.[^'"]+)['"]/g)) {
        const other = roomOf(resolve(path, '..', from));
        if (other !== room) into.add(other);
      }
    }
  }
  return imports;
}

/** Everything that a room imports, directly or not. Throws where that is itself. */
function reachOf(
  imports: ReadonlyMap<string, ReadonlySet<string>>,
  room: string,
  way: readonly string[] = [],
): Set<string> {
  if (way.includes(room)) throw new Error(`a circle of rooms: ${[...way, room].join(' → ')}`);
  const reached = new Set<string>();
  for (const next of imports.get(room) ?? []) {
    for (const one of [next, ...reachOf(imports, next, [...way, room])]) reached.add(one);
  }
  return reached;
}

const imports = importsOf();

test('the diagram shows how rooms import each other, which is never in a circle', () => {
  const arrows = [...imports].flatMap(([room, direct]) => {
    const further = new Set([...direct].flatMap((next) => [...reachOf(imports, next)]));
    return [...direct].filter((next) => !further.has(next)).map((next) => `  ${room} --> ${next}`);
  });
  expectBlock('docs/architecture.md', 'rooms', `\`\`\`mermaid\nflowchart TD\n${arrows.sort().join('\n')}\n\`\`\``);
});

test('the table tells of every room', () => {
  const named = [...textOf('docs/architecture.md').matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, room]) => room),
  );
  expect(named.sort()).toEqual([...imports.keys()].sort());
});
