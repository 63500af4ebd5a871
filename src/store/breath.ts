/** breath: while millions of things are worked through without a call, the process sees to what else it has to do: locks, answers. */
import { setImmediate } from 'node:timers/promises';

/** After so many steps: a few milliseconds. */
export const STEPS_AT_ONCE = 2_000;

/** Lets the process see to everything else it has to do. */
export async function breathe(): Promise<void> {
  await setImmediate();
}
