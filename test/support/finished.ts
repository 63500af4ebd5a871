/** finished: what happens when a test has ended, whichever tests run beside it. */
import { onTestFinished, TestRunner } from 'vitest';

export type Finished = typeof onTestFinished;

/**
 * For tests that run one after the other. Throws in one that runs beside others: which of them has ended can't be told there,
 * only its own context knows, and another's end would take away what this one uses.
 */
export const finished: Finished = (...what) => {
  if (TestRunner.getCurrentTest()?.concurrent)
    throw new Error('beside other tests, pass the onTestFinished of the test context');
  onTestFinished(...what);
};
