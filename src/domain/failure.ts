/** What went wrong, in one sentence for people and one code for machines. */

/**
 * Every way stalesweep fails on purpose, with the exit code of the command line it leads to:
 * 1 the world (Redis, permissions, a run), 2 the caller (usage, configuration).
 */
export const EXIT_CODES = {
  USAGE: 2,
  CONFIG: 2,
  UNREACHABLE: 1,
  LISTEN: 1,
  DENIED: 1,
  JOB_DATA: 1,
  RUN_FAILED: 1,
  INTERRUPTED: 1,
} as const;

export type FailureCode = keyof typeof EXIT_CODES;

/** An expected failure: its message is one sentence that says what is wrong and what to do. Never holds a secret. */
export class Failure extends Error {
  override readonly name = 'Failure';

  constructor(
    readonly code: FailureCode,
    sentence: string,
    options?: ErrorOptions,
  ) {
    super(sentence, options);
  }

  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}

/** The message of anything that was thrown, without its stack. */
export const sentenceOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
