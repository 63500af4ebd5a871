/** shipped: the schemas that come with stalesweep, by the system they fit. */
import type { IdShape } from './ids.ts';
import { type FamilyTemplates, HEARTBEAT, type SchemaDefinition } from './keySchema.ts';

/** Systems of blocking coordinators use ids such as `swarm-7:coordinator-7`; `heartbeat` stands where a state's id would. */
const IDS: IdShape = { segments: null, never: ['heartbeat'] };

/** What all three have in common. An idempotency key reads `{sender}:{receiver}:{type}:{iteration}:{time}`. */
const BLOCKING: FamilyTemplates = {
  signal: 'blocking:signal:{coordinator}',
  ack: 'blocking:ack:{coordinator}:*',
  idempotency: [
    'blocking:idempotency:{coordinator}',
    'blocking:idempotency:{coordinator}:*',
    'blocking:idempotency:*:{coordinator}',
    'blocking:idempotency:*:{coordinator}:*',
  ],
};

export const SHIPPED_SCHEMAS: Readonly<Record<string, SchemaDefinition>> = {
  swarm: {
    ids: IDS,
    families: {
      [HEARTBEAT]: 'swarm:{swarm}:blocking:heartbeat:{coordinator}',
      ...BLOCKING,
      activity: 'swarm:{swarm}:agent:{coordinator}:activity',
      state: 'swarm:{swarm}:blocking:{coordinator}',
    },
  },
  flat: {
    ids: IDS,
    families: {
      [HEARTBEAT]: 'blocking:heartbeat:{coordinator}',
      ...BLOCKING,
      activity: 'coordinator:activity:{coordinator}',
      state: 'blocking:state:{coordinator}',
    },
  },
  // As that system's code writes them: the heartbeat names no swarm, the state does.
  'claude-flow-novice': {
    ids: IDS,
    families: {
      [HEARTBEAT]: 'blocking:heartbeat:{coordinator}',
      ...BLOCKING,
      activity: 'coordinator:activity:{coordinator}',
      state: 'swarm:*:blocking:{coordinator}',
    },
  },
};
