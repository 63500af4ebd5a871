/** stalesweep: the contender this is all about, as a worker runs it, without a queue. */
import { runCleanup } from '../../../src/cleanup/run.ts';
import { resolveConfig } from '../../../src/config/resolve.ts';
import { Calls } from '../../../src/redis/calls.ts';
import { connectForRun } from '../../../src/redis/connect.ts';
import { contend } from './contend.ts';

contend(async ({ url, schema, staleAfter, settings }) => {
  // The data were loaded a moment ago, which is an outage to stalesweep (P10).
  const text = JSON.stringify({ schema, staleAfter, restartGrace: false, ...settings });
  const target = resolveConfig({}, { REDIS_URL: url }, { name: 'bench.yaml', text }).targets.get('default');
  if (target === undefined) throw new Error('there is always a target "default"');
  const redis = await connectForRun(url);
  return {
    go: async () => {
      const request = {
        run: 'bench',
        trigger: 'manual',
        dryRun: false,
        staleAfterSeconds: target.staleAfterSeconds,
        force: false,
        attempts: 1,
        carried: null,
        startedAt: Date.now(),
      } as const;
      const report = await runCleanup(new Calls(redis, target), target, request);
      return report.redis.calls;
    },
    close: () => redis.disconnect(),
  };
});
