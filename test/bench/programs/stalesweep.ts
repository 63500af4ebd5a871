/** stalesweep: the contender this is all about, as a worker runs it, without a queue. */
import { runCleanup } from '../../../src/cleanup/run.ts';
import { resolveConfig } from '../../../src/config/resolve.ts';
import { RunFollower } from '../../../src/ledger/recording/followRun.ts';
import { openLedger } from '../../../src/ledger/openLedger.ts';
import { openTarget } from '../../../src/redis/target/openContact.ts';
import { configText } from '../configText.ts';
import { contend } from './contend.ts';

contend(async (task) => {
  const { url } = task;
  const config = resolveConfig({}, { REDIS_URL: url }, { name: 'bench.yaml', text: configText(task) });
  const settings = config.targets.get('default');
  if (settings === undefined) throw new Error('there is always a target "default"');
  const signal = new AbortController().signal;
  const target = await openTarget(settings, { dryRun: false, signal, warn: () => {} });
  const past = await openLedger(config.queue, config.process.ledger);
  let runs = 0;
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
      const sightings = past.sightingsOf(settings, { mostBytes: settings.sightings, readOnly: false });
      const { families } = settings.schema;
      const identity = { run: `bench-${runs++}`, target: 'default', fingerprint: '', by: null, dryRun: false } as const;
      const recorder = past.ledger.record({ ...identity, trigger: 'manual', families }, () => {});
      await recorder.begin();
      const follower = new RunFollower(recorder);
      const report = await runCleanup(target, request, {
        sightings,
        observer: {
          ...follower.observer,
          begins: (soFar) => recorder.begins(soFar),
          progress: () => recorder.progress(),
        },
      });
      await recorder.end({ outcome: report.outcome, report });
      return { calls: report.redis.calls };
    },
    close: () => {
      target.close();
      past.close();
    },
  };
});
