/** idle: the contender that does nothing, so that it can be seen what a second client feels without any. */
import { setTimeout as wait } from 'node:timers/promises';
import { contend } from './contend.ts';

const DEFAULT_MS = 3_000;

contend(async ({ settings }) => ({
  go: async () => {
    await wait(Number(settings.forMs ?? DEFAULT_MS));
    return { calls: 0 };
  },
  close: () => {},
}));
