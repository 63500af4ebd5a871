/** edits: which changes to a single run Bull Board may make, by what became of it. */
import type { Config } from '../config/resolve.ts';
import { sentenceOf } from '../domain/failure.ts';
import { parsePayload } from '../queue/runs/payload.ts';
import type { Queues } from '../queue/queues.ts';

/** One change, as Bull Board is asked for it. */
export interface Edit {
  /** Its route. */
  readonly route: string;
  readonly run: string;
  readonly body: { readonly jobData?: unknown };
}

/** Why a change is not made, with the status of the answer. */
export interface Refused {
  readonly allow: false;
  readonly status: 400 | 409;
  readonly message: string;
}

/** Changes to a job; whatever else can be done to one that has ended starts a new run, or removes it. */
const EDITS = /\/:jobId\/(update-data|promote|delay|priority)$/;
/** Those that only a job can have that waits for its time. */
const OF_DELAYED: readonly string[] = ['promote', 'delay'];

function refused(status: Refused['status'], message: string): Refused {
  return { allow: false, status, message };
}

/** Why this change to a run is not made; `undefined` where it is, or is no such change. Rejects where the queue can't be asked. */
export async function refusalOf(
  { runs }: Queues,
  targets: Config['targets'],
  { route, run, body }: Edit,
): Promise<Refused | undefined> {
  const [, edit] = EDITS.exec(route) ?? [];
  if (edit === undefined) return undefined;
  const state = await runs.getJobState(run);
  // That there is none, Bull Board says itself.
  if (state === 'unknown') return undefined;
  if (state === 'completed' || state === 'failed') return refused(409, 'a finished run is final; add a new one');
  if (OF_DELAYED.includes(edit) && state !== 'delayed') {
    return refused(409, `only a run that waits for its time can be put forward or off; this one is ${state}`);
  }
  if (edit !== 'update-data') return undefined;
  // Changed data is checked like new data, before a worker has to refuse it.
  try {
    parsePayload(body.jobData, targets);
    return undefined;
  } catch (error) {
    return refused(400, sentenceOf(error));
  }
}
