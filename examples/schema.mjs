// Keys of one's own: what belongs to an agent goes with it, and nothing else.
import { Redis } from 'ioredis';
import { beat, defineSchema, plan, sweep } from 'stalesweep';

const agents = defineSchema(
  {
    heartbeat: 'agents:{coordinator}:beat',
    mailbox: 'agents:{coordinator}:mail:*',
    locks: ['lock:{coordinator}', 'lock:{coordinator}:*'],
  },
  'agents',
);

const redis = new Redis(process.env.REDIS_URL);
const heart = await beat({ redis, schema: agents, coordinator: 'a1' });
await redis.set('lock:a1', '1');

// Somebody who has been silent for an hour.
await redis.set('agents:a2:beat', JSON.stringify({ timestamp: Date.now() - 3_600_000 }));
await redis.set('agents:a2:mail:1', 'hello');
await redis.set('lock:a2', '1');

const { keys } = await plan({ redis, schema: agents });
console.log('would go:', keys.byFamily);
const { coordinators } = await sweep({ redis, schema: agents });
console.log(`${coordinators.swept} swept, ${coordinators.active} active`);
console.log('left:', (await redis.keys('[al]*')).sort().join(' '));

await heart.stop();
redis.disconnect();
