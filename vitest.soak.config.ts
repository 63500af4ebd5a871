import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** How often each test that draws at random does so anew: `npm test` draws few cases. */
const ROUNDS = 20;
const TESTS = join(import.meta.dirname, 'test');
const DRAWING = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join('test', name))
  .filter((file) =>
    /from 'fast-check'|from '\.\/holds|Math\.random\(|\brandomInt\(/.test(
      readFileSync(join(import.meta.dirname, file), 'utf8'),
    ),
  );

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        // It ends when its time is over, or by Ctrl-C.
        test: { name: 'soak', include: ['test/*/soak.ts', 'test/*/soak/*.ts'], testTimeout: 0 },
      },
      ...Array.from({ length: ROUNDS }, (_, n) => ({
        extends: true as const,
        test: { name: `round ${n + 1}`, include: DRAWING, isolate: false, testTimeout: 600_000, hookTimeout: 120_000 },
      })),
    ],
    hookTimeout: 120_000,
    pool: 'forks',
    disableConsoleIntercept: true,
  },
});
