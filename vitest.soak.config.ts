import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{chaos,model,protocol,queue,race,workers}/soak.ts'],
    // It ends when its time is over, or by Ctrl-C.
    testTimeout: 0,
    hookTimeout: 30_000,
    pool: 'forks',
    disableConsoleIntercept: true,
  },
});
