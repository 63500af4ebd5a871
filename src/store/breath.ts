/** breath: while millions of things are worked through without a call, the process sees to what else it has to do: locks, answers. */
import { setImmediate } from 'node:timers/promises';

/** After so many steps: a millisecond or two; some tens of them as long as the code is cold. */
export const STEPS_AT_ONCE = 500;

/** Lets the process see to everything else it has to do. */
export async function breathe(): Promise<void> {
  await setImmediate();
}
