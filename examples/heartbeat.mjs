// A coordinator that beats, works and leaves in good order.
import { beat } from 'stalesweep';

const heart = await beat({
  redis: process.env.REDIS_URL,
  schema: 'swarm',
  swarm: 'team-7',
  coordinator: 'coordinator-1',
  every: '5s',
  fields: () => ({ status: 'working' }),
  onError: (error) => console.error(`no heartbeat: ${error.message}`),
});
console.log(`beating as ${heart.key}`);

try {
  // The work.
} finally {
  await heart.stop();
}
console.log('left');
