/** beating: who beats in a heartbeat. Where its name has the schema's form, there is one answer; else nobody can say (P4): `w:team:7:c1` may
 *  be of `7:c1` in swarm `team`, whose id is too long, or of `c1` in `team:7`, which is no swarm. What could be either's stays.
 */
import type { KeyReader } from '../../schema/keyReader.ts';
import { isIdOf } from '../../schema/keySchema.ts';
import type { Found } from '../../store/records.ts';

/** So many of them are entered: nobody means more, and a long name could take all memory. */
const MOST_WAYS = 100;

/** Everybody who may beat in this key, which was read as this one's heartbeat. */
export function beatingIn(reader: KeyReader, key: Buffer, found: Found): readonly Found[] {
  if (isIdOf(reader.schema, found.idSegments)) return [found];
  const all = [found];
  reader.beating(key, ({ idFrom, idTo, idSegments, swarmFrom, swarmTo }) => {
    const swarm = swarmFrom === -1 ? null : { bytes: key, from: swarmFrom, to: swarmTo };
    // None of them can be judged, whatever the id's shape.
    all.push({ id: { bytes: key, from: idFrom, to: idTo }, idSegments: -Math.abs(idSegments), swarm });
    return all.length >= MOST_WAYS;
  });
  return all;
}
