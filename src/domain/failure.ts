/** What went wrong, in one sentence for people and one code for machines. */

/**
 * Every way stalesweep fails on purpose, with the exit code of the command line it leads to:
 * 1 the world (Redis, permissions, a run), 2 the caller (usage, configuration).
 */
export const EXIT_CODES = {
  /** A command line that no command takes. */
  USAGE: 2,
  /** A setting, a file, a schema or an option that is wrong or unknown. */
  CONFIG: 2,
  /** No Redis answers at the address, or it is not ready to serve, or it is not the one any more that a run began with. */
  UNREACHABLE: 1,
  /** A port or an address that the dashboard can't listen on. */
  LISTEN: 1,
  /** Redis does not let this user, or anybody, do what is needed: trying again changes nothing. */
  DENIED: 1,
  /** A job in the queue asks for what no run does. */
  JOB_DATA: 1,
  /** A run ended for a reason that nobody foresaw; the next one finds what is left. */
  RUN_FAILED: 1,
  /** A run was told to end, and did. */
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
export function sentenceOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
}
