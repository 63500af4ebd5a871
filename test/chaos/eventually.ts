/** eventually: what will be so in a while. Vitest's own `expect.poll` does not work where tests run at once. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';

const ASK_EVERY_MS = 60;

/** Asks again and again, until the answer is this one. Fails with the difference when it is not in time. */
export async function eventually<T>(ask: () => T | Promise<T>, wanted: unknown, withinMs = 60_000): Promise<void> {
  for (const deadline = performance.now() + withinMs; ; await pause(ASK_EVERY_MS)) {
    try {
      expect(await ask()).toEqual(wanted);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}
