/** stalesweep: the contender this is all about, as a worker runs it, without a queue. */
import { runCleanup } from '../../../src/cleanup/run.ts';
import { resolveConfig } from '../../../src/config/resolve.ts';
import { openTarget } from '../../../src/redis/target/target.ts';
import { contend } from './contend.ts';

contend(async ({ url, schema, staleAfter, settings: given }) => {
  // The data were loaded a moment ago, which is an outage to stalesweep (P10).
  const text = JSON.stringify({ schema, staleAfter, restartGrace: false, ...given });
  const settings = resolveConfig({}, { REDIS_URL: url }, { name: 'bench.yaml', text }).targets.get('default');
  if (settings === undefined) throw new Error('there is always a target "default"');
  const signal = new AbortController().signal;
  const target = await openTarget(settings, { dryRun: false, signal, warn: () => {} });
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
      const report = await runCleanup(target, request);
      return report.redis.calls;
    },
    close: () => target.close(),
  };
});
