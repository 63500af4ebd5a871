/** cluster: whether a server holds only a part of the keys. Where one connection is to see all of
 * them it can't be used: what is somebody's there would be taken for all that is theirs, and the queue's scripts would be refused. */
import { Failure } from '../../domain/failure.ts';
import { answerCodeOf } from '../call/answerCode.ts';
import { type Info, infoIn } from '../target/clock.ts';
import type { Redis } from './ioredis.ts';

/** What is said of one, as it goes on after "Redis at … ". */
export const CLUSTER = {
  what: 'holds only a part of the keys',
  advice: 'clusters can not be used for this yet: give the URL of a Redis that holds all of them',
} as const;

/** How a server says that other keys are elsewhere; behind a proxy without a word of it in INFO. */
const CODES = new Set(['MOVED', 'ASK', 'CROSSSLOT']);
const SAME_SLOT = /\bkeys must be in (?:the )?same slot\b/;

/** Why an answer shows that a server holds only a part of the keys, as an operator may look it up; `null` for every other one. */
export function clusterAnswerIn(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const code = answerCodeOf(error);
  if (code !== null && CODES.has(code)) return code;
  return SAME_SLOT.test(error.message) ? error.message : null;
}

/** Whether INFO says so. */
export function isClusterNode(info: Info): boolean {
  return info.get('cluster_enabled') === '1';
}

/** Fails (`DENIED`) where another database of a cluster than the first is meant: what is learned of its slots holds there alone. */
function insistOnFirstDatabase({ options: { db = 0 } }: Redis, where: string): void {
  if (db === 0) return;
  const sentence = `${where} is a node of a cluster, of which database 0 alone can be used; leave /${db} out of the URL`;
  throw new Failure('DENIED', sentence);
}

/** A server that holds only a part of the keys, where all are needed. */
export class HoldsPart extends Failure {
  constructor(where: string) {
    super('DENIED', `${where} is a node of a cluster, which ${CLUSTER.what}; ${CLUSTER.advice}`);
  }
}

/**
 * What INFO says of a server, so that who answers is known without another question: all, or only whether it is a node of a cluster.
 * Then it fails (`DENIED`), unless that will do and its first database is meant. Who may not ask, or gets no answer to this, is told so by what follows.
 */
export async function insistOnWhole(
  redis: Redis,
  where: string,
  { all, toPart }: { readonly all: boolean; readonly toPart: boolean },
): Promise<Info> {
  const reply = await (all ? redis.info() : redis.info('cluster')).catch(() => '');
  const info = infoIn(String(reply));
  if (!isClusterNode(info)) return info;
  insistOnFirstDatabase(redis, where);
  if (toPart) return info;
  throw new HoldsPart(where);
}
