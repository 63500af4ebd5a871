/** sightings key: where a target's sightings stand in the queue's Redis. */
import { createHash } from 'node:crypto';
import { placeOf } from '../../config/fingerprint.ts';

/** As much of a target as tells whose heartbeats are meant. */
export interface SightedTarget {
  readonly name: string;
  readonly url: string;
  readonly schema: { readonly heartbeat: { readonly text: string } };
}

const FINGERPRINT_DIGITS = 12;

/**
 * `<prefix>:sightings:<target>:<fingerprint>`. Another host, port, database or heartbeat template has another fingerprint:
 * who was seen there is nobody here.
 */
export function sightingsKeyOf(prefix: string, { name, url, schema }: SightedTarget): string {
  const what = JSON.stringify([placeOf(url), schema.heartbeat.text]);
  const fingerprint = createHash('sha256').update(what).digest('hex').slice(0, FINGERPRINT_DIGITS);
  return `${prefix}:sightings:${name}:${fingerprint}`;
}
