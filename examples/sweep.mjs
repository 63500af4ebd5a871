// What would go, and then a sweep: with a question, progress and a way to end it.
import { Redis } from 'ioredis';
import { plan, sweep } from 'stalesweep';

const redis = new Redis(process.env.REDIS_URL);
const options = { redis, schema: 'flat', staleAfter: '10m', protect: ['leader-*'] };

const ahead = await plan({
  ...options,
  onCoordinator: ({ coordinator, silenceSeconds, keys }) => console.log(`${coordinator}: ${silenceSeconds} s`, keys),
});
console.log(`${ahead.coordinators.stale} of ${ahead.coordinators.checked} are stale`);

const report = await sweep({
  ...options,
  signal: AbortSignal.timeout(60_000),
  confirm: ({ coordinators }) => coordinators.stale < 1_000,
  onProgress: ({ phase, percent }) => process.stderr.write(`\r${phase} ${Math.floor(percent)} %  `),
  onWarning: (sentence) => console.error(sentence),
});
console.log(`${report.outcome}: ${report.coordinators.swept} swept, ${report.keys.deleted} keys`);

// The client is yours: nothing has closed it.
redis.disconnect();
