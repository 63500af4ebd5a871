/** sightings key: where a target's sightings stand in the queue's Redis. */
import { createHash } from 'node:crypto';
import { identityOf, type Placed } from '../../config/fingerprint.ts';

/** As much of a target as tells whose heartbeats are meant. */
export interface SightedTarget extends Placed {
  readonly name: string;
  readonly schema: { readonly heartbeat: { readonly text: string } };
}

const FINGERPRINT_DIGITS = 12;

/**
 * `<prefix>:sightings:<target>:<fingerprint>`. Another host, port, database or heartbeat template has another fingerprint:
 * who was seen there is nobody here. Where an `id` stands for the address, all machines have one, whatever they call it.
 * @param names those of the target; one key for each, in their order
 */
export function sightingsKeysOf(prefix: string, target: SightedTarget, names: readonly string[]): string[] {
  const what = JSON.stringify([identityOf(target), target.schema.heartbeat.text]);
  const fingerprint = createHash('sha256').update(what).digest('hex').slice(0, FINGERPRINT_DIGITS);
  return names.map((name) => `${prefix}:sightings:${name}:${fingerprint}`);
}
