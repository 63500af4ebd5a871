/** lost: a call whose connection ended before the answer came. Nobody knows whether Redis has done what it asked. */
import { isAnswerTooLarge } from '../rights/tooLarge.ts';
import { answerCodeOf } from './answerCode.ts';

export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';

  constructor(cause: unknown) {
    super('the connection to Redis was lost', { cause });
  }
}

/** Whether a call was not answered in time, and given up. */
export function isLate(error: unknown): boolean {
  return error instanceof Error && error.message === 'Command timed out';
}

/** Whether a script refused to do what reached its server after the last second that it was told. */
export function cameTooLate(error: unknown): boolean {
  return answerCodeOf(error) === 'LATE';
}

/** Whether Redis may have done what a call asked, though its answer never came, or was too large to be let through. */
export function mayHaveBeenDone(error: unknown): boolean {
  return error instanceof ConnectionLost || isLate(error) || isAnswerTooLarge(error);
}
