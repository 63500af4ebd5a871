/** whose: whether a run in the queue is this process's to do. Several deployments may share a queue, and while one is rolled
 * out its workers are configured differently: a run must never be done on another Redis than it was asked for. */
import { mostCareful } from '../config/decisive.ts';
import { fingerprintOf, samePlace } from '../config/fingerprint.ts';
import type { TargetConfig } from '../config/resolve.ts';
import { isWorkedOn, otherMeaning, readMembers, settingsAmong } from './members.ts';
import { addresseeOf, complain, parsePayload, type RunData, type RunPayload, shown } from './runs/payload.ts';
import type { Queues } from './queues.ts';

/** How long runs of targets that are unknown here are left to others. */
const LEFT_MS = 60_000;
/** How soon a run that was left is to be had again, in ms. Each look of a worker that does not know it costs five calls. */
export const LOOK_AGAIN_MS = 1_000;
/** Longer than it is left. */
const REMEMBERED_MS = 10 * LEFT_MS;

/** What to do with a job: do the run, or leave it to others. */
export type Whose = { readonly ours: RunPayload } | { readonly ours: null; readonly why: string };

/** When a job was first left to others, in epoch ms. */
async function firstLeftAt({ connection, prefix }: Queues, job: string): Promise<number> {
  const key = `${prefix}:left:${job}`;
  await connection.set(key, Date.now(), 'PX', REMEMBERED_MS, 'NX');
  return Number(await connection.get(key));
}

/**
 * Tells whose a job is. Fails (`JOB_DATA`) with one sentence when its data is wrong, when it is for another Redis under the
 * same name and nobody here knows that one, when nobody has known its target for a minute, and when it does not say which
 * of two is meant.
 */
export async function whoseRun(
  queues: Queues,
  targets: ReadonlyMap<string, TargetConfig>,
  job: string,
  data: unknown,
): Promise<Whose> {
  const { target: name, fingerprint, isScheduled } = addresseeOf(data);
  const target = targets.get(name);
  const own = target && fingerprintOf(target);
  const members = await readMembers(queues);
  /** By the most careful settings of all who work on this target. */
  const ours = (asked = data): Whose => {
    if (target === undefined || own === undefined) return { ours: parsePayload(asked, targets) };
    const careful = mostCareful(target, settingsAmong(members, name, own));
    return { ours: parsePayload(asked, new Map([...targets, [name, careful]])) };
  };
  if (own !== undefined && fingerprint === own) return ours();
  if (own === undefined) {
    const why = `target ${shown(name)} is not known here`;
    if (isWorkedOn(members, name, fingerprint)) return { ours: null, why };
    if (Date.now() - (await firstLeftAt(queues, job)) < LEFT_MS) return { ours: null, why };
  } else if (fingerprint === undefined) {
    const other = otherMeaning(members, name, own);
    if (other !== null) {
      throw complain(
        `"${name}" means different targets here and for ${other.by}, and this job does not say which; add it with "stalesweep enqueue", or give each deployment a queue.prefix`,
      );
    }
  } else if (isWorkedOn(members, name, fingerprint)) {
    return { ours: null, why: `it is for another target ${shown(name)}` };
  } else if (isScheduled && samePlace(fingerprint, own)) {
    // Its tick was that of all who clean this Redis; whoever did by that schema is gone.
    return ours({ ...(data as RunData), fingerprint: own, force: false });
  }
  // Fails unless it is for this process after all.
  return ours();
}
