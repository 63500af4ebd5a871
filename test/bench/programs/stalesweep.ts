/** stalesweep: the contender this is all about, as a worker runs it, without a queue. */
import { runCleanup } from '../../../src/cleanup/run.ts';
import { resolveConfig } from '../../../src/config/resolve.ts';
import { openSightings } from '../../../src/ledger/openSightings.ts';
import { Calls } from '../../../src/redis/calls.ts';
import { connectForRun } from '../../../src/redis/connect.ts';
import { configText } from '../configText.ts';
import { contend } from './contend.ts';

contend(async (task) => {
  const { url } = task;
  const config = resolveConfig({}, { REDIS_URL: url }, { name: 'bench.yaml', text: configText(task) });
  const target = config.targets.get('default');
  if (target === undefined) throw new Error('there is always a target "default"');
  const redis = await connectForRun(url);
  const past = await openSightings(config.queue, target, { mostBytes: target.sightings, readOnly: false });
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
      const { sightings } = past;
      const report = await runCleanup(new Calls(redis, target), target, request, { sightings });
      return { calls: report.redis.calls };
    },
    close: () => {
      redis.disconnect();
      past.close();
    },
  };
});
