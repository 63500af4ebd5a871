import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{alerts,chaos,ledger,model,protocol,race,trash,workers}/soak.ts'],
    // It ends when its time is over, or by Ctrl-C.
    testTimeout: 0,
    hookTimeout: 30_000,
    pool: 'forks',
    disableConsoleIntercept: true,
  },
});
