/** target: which Redis a command is about. */
import type { Config, TargetConfig } from '../config/resolve.ts';
import { Failure } from '../domain/failure.ts';

/** Fails (`USAGE`) when nobody said what is to be cleaned: what happens to run at the usual address may be anybody's. */
export function insistOnTarget({ targetGiven }: Config): void {
  if (targetGiven) return;
  const sentence =
    'no target: set REDIS_URL, or name a file with targets (STALESWEEP_CONFIG, --config); "stalesweep demo" shows everything on a Redis of its own';
  throw new Failure('USAGE', sentence);
}

/** The target a command names, or the only sensible one. Fails (`USAGE`) when there is none, or no such. */
export function targetOf(config: Config, name: string | undefined): TargetConfig {
  insistOnTarget(config);
  const wanted = name ?? (config.targets.has('default') ? 'default' : undefined);
  const [first] = config.targets.values();
  const target = wanted === undefined && config.targets.size === 1 ? first : config.targets.get(wanted ?? '');
  if (target !== undefined) return target;
  const allowed = [...config.targets.keys()].join(', ');
  throw new Failure(
    'USAGE',
    name === undefined
      ? `say which target, with --target; there are: ${allowed}`
      : `unknown target "${name}"; there are: ${allowed}`,
  );
}

/** Where nobody named a Redis, but `demo` runs on its private one in this folder, that one is meant. */
export async function withPrivateRedis(config: Config): Promise<Config> {
  if (config.targetGiven) return config;
  const { privateRedisUrl } = await import('../../workers/demo/privateRedis.ts');
  const url = await privateRedisUrl();
  return url === null ? config : onRedis(config, url);
}

/** The same configuration with the target `default` (and the queue, unless it has its own) on another Redis. */
export function onRedis(config: Config, url: string): Config {
  const target = config.targets.get('default');
  if (target === undefined) return config;
  const queue = config.queue.url === target.url ? { ...config.queue, url } : config.queue;
  return {
    ...config,
    targetGiven: true,
    queue,
    targets: new Map([...config.targets, ['default', { ...target, url }]]),
  };
}
