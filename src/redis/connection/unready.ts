/** unready: the answers by which Redis says "not now": what each means, and what to do about it. */
import { answerCodeOf } from '../call/answerCode.ts';

/** What Redis says of itself, in the words of an operator. */
export interface Unready {
  /** As it goes on after "Redis at … ". */
  readonly what: string;
  readonly advice: string;
}

const ANSWERS: Readonly<Record<string, Unready>> = {
  BUSY: {
    what: "is busy with somebody else's script (BUSY)",
    advice: 'wait until that ends, or end it with SCRIPT KILL',
  },
  LOADING: { what: 'is still loading its data (LOADING)', advice: 'try again once it has' },
  MISCONF: {
    what: 'refuses writes since its last background save failed (MISCONF)',
    advice: "see Redis' log, and free disk space or memory",
  },
  MASTERDOWN: {
    what: 'is a replica that has lost its primary (MASTERDOWN)',
    advice: 'point the URL at the primary, or wait until there is one again',
  },
  CLUSTERDOWN: {
    what: 'belongs to a cluster that is down (CLUSTERDOWN)',
    advice: 'wait until all its slots are served again',
  },
  TRYAGAIN: { what: 'can not serve these keys at the moment (TRYAGAIN)', advice: 'try again' },
  NOREPLICAS: {
    what: 'refuses writes for want of replicas (NOREPLICAS)',
    advice: 'wait until enough of them are connected',
  },
  READONLY: { what: 'is a replica, which refuses writes (READONLY)', advice: 'point the URL at the primary' },
};

function codeOf(error: unknown): string | null {
  const code = answerCodeOf(error);
  return code !== null && Object.hasOwn(ANSWERS, code) ? code : null;
}

/** What an error says of Redis, where it says that this is not the moment; `null` for every other error. */
export function unreadyIn(error: unknown): Unready | null {
  const code = codeOf(error);
  return code === null ? null : (ANSWERS[code] ?? null);
}

/** Whether Redis may well serve in a moment what it has just refused. A replica stays one: somebody has to act. */
export function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  return code !== null && code !== 'READONLY';
}
