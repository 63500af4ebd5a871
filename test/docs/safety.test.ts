import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/safety.md'), 'utf8');
const rows = [...page.matchAll(/^\| (P\d+) \|.*$/gm)].map(([row, promise]) => ({
  promise: promise ?? '',
  tests: [...row.matchAll(/`(test\/[^`]+\.test\.ts)`/g)].map(([, file]) => file ?? ''),
}));

test('names every promise once', () => {
  expect(rows.map(({ promise }) => promise)).toEqual(Array.from({ length: 13 }, (_, i) => `P${i + 1}`));
});

test.each(rows)('shows $promise by tests that are there, at least one of which names it', ({ promise, tests }) => {
  expect(tests.length).toBeGreaterThan(0);
  for (const file of tests) expect(existsSync(join(ROOT, file)), file).toBe(true);
  const named = new RegExp(`\\b${promise}\\b`);
  expect(tests.filter((file) => named.test(readFileSync(join(ROOT, file), 'utf8')))).not.toEqual([]);
});
