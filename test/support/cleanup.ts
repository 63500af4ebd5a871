/** cleanup: one run against a test's Redis, as a worker would do it, with a hook before and after each call. */
import type { Redis } from 'ioredis';
import { type RunOptions, type RunRequest, runCleanup } from '../../src/cleanup/run.ts';
import { resolveConfig, type TargetConfig } from '../../src/config/resolve.ts';
import type { Outage } from '../../src/domain/outages.ts';
import type { Report } from '../../src/domain/report.ts';
import type { Burst } from '../../src/redis/call/burst.ts';
import { Rest } from '../../src/redis/call/rest.ts';
import { Stopwatch } from '../../src/redis/call/stopwatch.ts';
import type { Argument, Order, Reply } from '../../src/redis/call/wire.ts';
import { type Answer, ServerCalls } from '../../src/redis/call/calls.ts';
import { Link } from '../../src/redis/target/link.ts';
import { openTarget } from '../../src/redis/target/openContact.ts';
import { Node, type NodeWishes } from '../../src/redis/target/node.ts';
import { Target } from '../../src/redis/target/target.ts';

type Arguments = readonly Argument[];

export interface CallHooks {
  /** Awaited before the command is sent; of those that go with many others without their arguments. */
  readonly before?: (name: string, args: Arguments) => unknown;
  /** Awaited after its reply came, before the run sees it. */
  readonly after?: (name: string, reply: Reply) => unknown;
  /** How many small commands go at once; with hooks one, so that they come between any two, unless it says otherwise. */
  readonly mostInBurst?: number;
}

export interface CleanOptions extends RunOptions, CallHooks, Partial<RunRequest> {
  /** What a configuration file would hold. */
  readonly settings?: object;
  /** What those settings come to, where a test runs them often. */
  readonly target?: TargetConfig;
  /** What was seen of times in which nobody could beat, by the server's clock. */
  readonly outages?: (nowMs: number) => readonly Outage[];
}

/** The calls of a run, with hooks. */
export class HookedCalls extends ServerCalls {
  readonly #hooks: CallHooks;

  constructor(redis: Redis, hooks: CallHooks, rest?: Rest, stopwatch?: Stopwatch) {
    super(redis, rest, stopwatch);
    this.#hooks = hooks;
  }

  override async send(name: string, args: Arguments, encoding?: 'latin1' | null): Promise<Answer> {
    await this.#hooks.before?.(name, args);
    const result = await super.send(name, args, encoding);
    await this.#hooks.after?.(name, result.reply);
    return result;
  }

  override get mostInBurst(): number {
    const { before, after, mostInBurst } = this.#hooks;
    return mostInBurst ?? (before || after ? 1 : super.mostInBurst);
  }

  override async sendBurst(burst: Burst) {
    if (burst.count > 0) await this.#hooks.before?.(burst.name, []);
    const replies = await super.sendBurst(burst);
    for (const reply of replies) if (!(reply instanceof Error)) await this.#hooks.after?.(burst.name, reply);
    return replies;
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

/** What of the options is a run's request. */
const REQUESTED: ReadonlySet<string> = new Set<keyof RunRequest>([
  'run',
  'trigger',
  'dryRun',
  'staleAfterSeconds',
  'force',
  'attempts',
  'carried',
  'startedAt',
]);

/** The target `default` as this configuration gives it. */
export function targetOf(url: string, settings: object = {}): TargetConfig {
  const config = resolveConfig({}, { REDIS_URL: url }, { name: 'test.yaml', text: JSON.stringify(settings) });
  const target = config.targets.get('default');
  if (target === undefined) throw new Error('there is always a target "default"');
  return target;
}

function requestIn(options: CleanOptions, settings: TargetConfig): RunRequest {
  return {
    run: 'test-run',
    trigger: 'manual',
    dryRun: false,
    staleAfterSeconds: settings.staleAfterSeconds,
    force: false,
    attempts: 1,
    carried: null,
    startedAt: Date.now(),
    ...Object.fromEntries(Object.entries(options).filter(([name]) => REQUESTED.has(name))),
  };
}

function wishesIn({ observer, outages }: CleanOptions, { dryRun }: RunRequest, signal: AbortSignal): NodeWishes {
  return {
    dryRun,
    signal,
    warn: (sentence) => observer?.warn?.(sentence),
    outages: async (nowMs) => outages?.(nowMs) ?? [],
  };
}

/** Cleans the one Redis at this address once, over a connection of its own. */
export async function clean(url: string, options: CleanOptions = {}): Promise<Report> {
  const settings = options.target ?? targetOf(url, options.settings);
  const { signal = new AbortController().signal } = options;
  const request = requestIn(options, settings);
  const link = await Link.open({ ...settings, url }, signal);
  try {
    const stopwatch = new Stopwatch();
    const calls = new HookedCalls(link.redis, options, new Rest(settings.nice), stopwatch);
    const node = await Node.examine(link, calls, settings, wishesIn(options, request, signal));
    try {
      return await runCleanup(Target.of(settings, node, stopwatch), request, options);
    } finally {
      node.close();
    }
  } finally {
    link.close();
  }
}

/** The same as workers do it: whatever answers there, one Redis or many. Without hooks. */
export async function cleanWhatAnswers(url: string, options: CleanOptions = {}): Promise<Report> {
  const settings = targetOf(url, options.settings);
  const { signal = new AbortController().signal } = options;
  const request = requestIn(options, settings);
  const target = await openTarget(settings, wishesIn(options, request, signal));
  try {
    return await runCleanup(target, request, options);
  } finally {
    target.close();
  }
}
