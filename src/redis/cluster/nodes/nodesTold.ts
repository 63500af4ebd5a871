/** nodesTold: what a node of a cluster says of all of them (CLUSTER NODES). */
import { Failure } from '../../../domain/failure.ts';
import type { ServerCalls } from '../../call/calls.ts';

/** In a line of CLUSTER NODES, when a node was last asked and answered: what changes with each look. */
export const SEEN_AT = /(?<=^\S+ \S+ \S+ \S+ )\d+ \d+ /gm;

/** What a node says of all nodes. Fails (`DENIED`) where it does not say that, or not to this user. */
export async function nodesTold(calls: ServerCalls, where: string): Promise<string> {
  try {
    const { reply } = await calls.send('cluster', ['NODES']);
    return String(reply);
  } catch (error) {
    const said = error instanceof Error && /^(ERR|NOPERM) /.test(error.message) ? error.message : null;
    if (said === null) throw error;
    const sentence = `Redis at ${where} is a node of a cluster, and does not name the others (${said}); grant the user +cluster|nodes`;
    throw new Failure('DENIED', sentence, { cause: error });
  }
}
