/** cleanup: one run against a test's Redis, as a worker would do it, with a hook before and after each call. */
import type { Redis } from 'ioredis';
import { type RunOptions, type RunRequest, runCleanup } from '../../src/cleanup/run.ts';
import { resolveConfig, type TargetConfig } from '../../src/config/resolve.ts';
import type { Report } from '../../src/domain/report.ts';
import { Calls, type Reply } from '../../src/redis/calls.ts';
import { connectForRun } from '../../src/redis/connect.ts';

type Arguments = readonly (string | number)[];

export interface CallHooks {
  /** Awaited before the command is sent. */
  readonly before?: (name: string, args: Arguments) => unknown;
  /** Awaited after its reply came, before the run sees it. */
  readonly after?: (name: string, reply: Reply) => unknown;
}

export interface CleanOptions extends RunOptions, CallHooks, Partial<RunRequest> {
  /** What a configuration file would hold. */
  readonly settings?: object;
}

class HookedCalls extends Calls {
  readonly #hooks: CallHooks;

  constructor(redis: Redis, nice: number, hooks: CallHooks) {
    super(redis, nice);
    this.#hooks = hooks;
  }

  override async send(name: string, args: Arguments): Promise<{ reply: Reply; ms: number }> {
    await this.#hooks.before?.(name, args);
    const result = await super.send(name, args);
    await this.#hooks.after?.(name, result.reply);
    return result;
  }
}

/** The target `default` as this configuration gives it. */
export const targetOf = (url: string, settings: object = {}): TargetConfig => {
  const config = resolveConfig({}, { REDIS_URL: url }, { name: 'test.yaml', text: JSON.stringify(settings) });
  const target = config.targets.get('default');
  if (target === undefined) throw new Error('there is always a target "default"');
  return target;
};

/** Cleans the Redis at this address once, over a connection of its own. */
export const clean = async (url: string, options: CleanOptions = {}): Promise<Report> => {
  const target = targetOf(url, options.settings);
  const redis = await connectForRun(url);
  try {
    const request: RunRequest = {
      run: 'test-run',
      trigger: 'manual',
      dryRun: false,
      staleAfterSeconds: target.staleAfterSeconds,
      force: false,
      attempts: 1,
      carried: null,
      startedAt: Date.now(),
    };
    const given = Object.fromEntries(Object.entries(options).filter(([name]) => name in request));
    return await runCleanup(new HookedCalls(redis, target.nice, options), target, { ...request, ...given }, options);
  } finally {
    redis.disconnect();
  }
};
