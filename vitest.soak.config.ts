import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/model/soak.ts', 'test/race/soak.ts', 'test/chaos/soak.ts', 'test/workers/soak.ts'],
    // It ends when its time is over, or by Ctrl-C.
    testTimeout: 0,
    hookTimeout: 30_000,
    pool: 'forks',
    disableConsoleIntercept: true,
  },
});
