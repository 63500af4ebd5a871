/** tick: what comes of a tick of a schedule: the run it asks for, of whichever deployment it is. Those who mean the same Redis by a name and
 *  differ in its schema share one schedule: each of them has its run of each tick, whoever takes that. */
import { fingerprintOf, samePlace } from '../../config/fingerprint.ts';
import type { TargetConfig } from '../../config/resolve.ts';
import { isPlainName } from '../../config/values/shape.ts';
import { Failure } from '../../domain/failure.ts';
import { addRun, enqueue } from '../runs/enqueue.ts';
import { isWorkedOn, otherSchemasOf, readMembers } from '../members.ts';
import type { Queues } from '../queues.ts';

/**
 * Asks for the run of a tick; resolves to the run. One of a target that is not known here is asked for as long as somebody
 * on the queue knows it. Fails (`JOB_DATA`) when nobody does, or the tick's data is wrong.
 */
export async function runOfTick(
  queues: Queues,
  targets: ReadonlyMap<string, TargetConfig>,
  data: unknown,
): Promise<string> {
  const { target: name, fingerprint } = (data ?? {}) as { readonly target?: unknown; readonly fingerprint?: unknown };
  if (typeof name === 'string' && isPlainName(name)) {
    const add = async ({ history }: TargetConfig, fingerprints: Iterable<string>): Promise<string[]> => {
      const added: string[] = [];
      for (const one of fingerprints) {
        const { run } = await addRun(queues.runs, { target: name, trigger: 'schedule', fingerprint: one }, history);
        added.push(run);
      }
      return added;
    };
    const target = targets.get(name);
    const isOurs = typeof fingerprint !== 'string' || (target && samePlace(fingerprint, fingerprintOf(target)));
    if (target && isOurs) {
      const { run } = await enqueue(queues.runs, targets, { target: name, trigger: 'schedule' });
      await add(target, otherSchemasOf(await readMembers(queues), name, fingerprintOf(target)));
      return run;
    }
    const [first] = targets.values();
    if (first && typeof fingerprint === 'string') {
      const members = await readMembers(queues);
      const own = isWorkedOn(members, name, fingerprint) ? [fingerprint] : [];
      const [run] = await add(first, [...own, ...otherSchemasOf(members, name, fingerprint)]);
      if (run !== undefined) return run;
    }
  }
  throw new Failure('JOB_DATA', 'this tick names no target that is configured, here or elsewhere on this queue');
}
