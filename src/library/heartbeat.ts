/** heartbeat: what a coordinator writes so that a run with this schema finds it alive: name and value. Pure. */
import { Misfit } from '../config/values/shape.ts';
import { fitsShape } from '../schema/ids.ts';
import { KeyReader } from '../schema/keyReader.ts';
import type { KeySchema } from '../schema/keySchema.ts';
import { derive } from '../schema/template.ts';

export interface Who {
  readonly coordinator: string;
  readonly swarm?: string | undefined;
}

function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The name of somebody's heartbeat. Throws `Misfit` where a run would read it as nobody's, or as another's. */
export function heartbeatKeyOf(schema: KeySchema, { coordinator, swarm }: Who): Buffer {
  const { hasSwarm, text } = schema.heartbeat;
  if (hasSwarm && !swarm) throw new Misfit(`schema "${schema.name}" has heartbeats that name a swarm; give "swarm"`);
  if (!hasSwarm && swarm !== undefined) {
    throw new Misfit(`schema "${schema.name}" has heartbeats that name no swarm ("${text}"); leave "swarm" out`);
  }
  const owner = { coordinator: bytesOf(coordinator), swarm: swarm === undefined ? null : bytesOf(swarm) };
  const key = Buffer.from(derive(schema.heartbeat, owner), 'latin1');
  const reader = new KeyReader(schema);
  const isRead = reader.read(key) === 'heartbeat' && fitsShape(schema.ids, reader.idSegments);
  const read = key.toString('latin1', reader.idFrom, reader.idTo);
  if (!isRead || read !== owner.coordinator) {
    throw new Misfit(`"${coordinator}" is no id of schema "${schema.name}": no run would know its heartbeat`);
  }
  return key;
}

/** The value of one beat: what the caller adds, and what makes it a heartbeat, which nothing replaces. */
export function heartbeatValueOf({ coordinator, swarm }: Who, beatAt: number, more: object): string {
  return JSON.stringify({
    coordinatorId: coordinator,
    ...(swarm === undefined ? {} : { swarmId: swarm }),
    ...more,
    timestamp: beatAt,
  });
}
