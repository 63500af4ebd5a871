/** cleanup: one run against a test's Redis, as a worker would do it, with a hook before and after each call. */
import type { Redis } from 'ioredis';
import { type RunOptions, type RunRequest, runCleanup } from '../../src/cleanup/run.ts';
import { resolveConfig, type TargetConfig } from '../../src/config/resolve.ts';
import type { Report } from '../../src/domain/report.ts';
import { type Answer, type Argument, Calls, type Manners, type Order, type Reply } from '../../src/redis/calls.ts';
import { connectForRun } from '../../src/redis/connect.ts';

type Arguments = readonly Argument[];

export interface CallHooks {
  /** Awaited before the command is sent. */
  readonly before?: (name: string, args: Arguments) => unknown;
  /** Awaited after its reply came, before the run sees it. */
  readonly after?: (name: string, reply: Reply) => unknown;
}

export interface CleanOptions extends RunOptions, CallHooks, Partial<RunRequest> {
  /** What a configuration file would hold. */
  readonly settings?: object;
  /** What those settings come to, where a test runs them often. */
  readonly target?: TargetConfig;
}

/** The calls of a run, with hooks. */
export class HookedCalls extends Calls {
  readonly #hooks: CallHooks;

  constructor(redis: Redis, manners: Manners, hooks: CallHooks) {
    super(redis, manners);
    this.#hooks = hooks;
  }

  override async send(name: string, args: Arguments, encoding?: 'latin1' | null): Promise<Answer> {
    await this.#hooks.before?.(name, args);
    const result = await super.send(name, args, encoding);
    await this.#hooks.after?.(name, result.reply);
    return result;
  }

  /** The steps of a transaction; what goes together over the run's own connection only asks for permissions. */
  override async sendTogether(orders: readonly Order[], beside?: Redis) {
    if (beside === undefined) return await super.sendTogether(orders);
    for (const [name, args] of orders) await this.#hooks.before?.(name, args);
    const result = await super.sendTogether(orders, beside);
    for (const [i, [name]] of orders.entries()) {
      const reply = result.replies[i] ?? null;
      if (!(reply instanceof Error)) await this.#hooks.after?.(name, reply);
    }
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
  const target = options.target ?? targetOf(url, options.settings);
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
    return await runCleanup(new HookedCalls(redis, target, options), target, { ...request, ...given }, options);
  } finally {
    redis.disconnect();
  }
};
