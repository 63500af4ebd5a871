/** stalesweep: the contender this is all about, as a worker runs it, without a queue. */
import { runCleanup } from '../../../src/cleanup/run.ts';
import { resolveConfig } from '../../../src/config/resolve.ts';
import { openSightings } from '../../../src/ledger/openSightings.ts';
import { openTarget } from '../../../src/redis/target/target.ts';
import { configText } from '../configText.ts';
import { contend } from './contend.ts';

contend(async (task) => {
  const { url } = task;
  const config = resolveConfig({}, { REDIS_URL: url }, { name: 'bench.yaml', text: configText(task) });
  const settings = config.targets.get('default');
  if (settings === undefined) throw new Error('there is always a target "default"');
  const signal = new AbortController().signal;
  const target = await openTarget(settings, { dryRun: false, signal, warn: () => {} });
  const past = await openSightings(config.queue, settings, { mostBytes: settings.sightings, readOnly: false });
  return {
    go: async () => {
      const request = {
        run: 'bench',
        trigger: 'manual',
        dryRun: false,
        staleAfterSeconds: settings.staleAfterSeconds,
        force: false,
        attempts: 1,
        carried: null,
        startedAt: Date.now(),
      } as const;
      const report = await runCleanup(target, request, { sightings: past.sightings });
      return { calls: report.redis.calls };
    },
    close: () => {
      target.close();
      past.close();
    },
  };
});
