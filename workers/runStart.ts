/** runStart: the process behind `stalesweep start`: schedules, one worker, the dashboard. */
import getPort, { portNumbers } from 'get-port';
import type { Config } from '../src/config/resolve.ts';
import type { Report } from '../src/domain/report.ts';
import type { Logger } from '../src/log/logger.ts';
import { Outage } from '../src/log/outages.ts';
import { Metrics } from '../src/metrics/registry.ts';
import { tellOfConfig } from './configuration.ts';
import { fillWithSample, runOnce } from './firstLook.ts';
import { startPrivateRedis } from './privateRedis.ts';
import { startDashboard } from './runDashboard.ts';
import { untilStopped } from './shutdown.ts';
import { type Running, startWorker } from './worker.ts';

export interface StartOptions {
  /** Whether a taken port may be replaced by the next free one: only when nobody asked for this one. */
  readonly portIsChosen: boolean;
  /** Told, in order, what a newcomer should see. */
  readonly say: (text: string) => void;
  /** Shows a report as text. */
  readonly render: (report: Report) => string;
  /** The configuration with the target `default` on another Redis. */
  readonly onRedis: (config: Config, url: string) => Config;
}

/** How many ports are tried after the usual one. */
const PORTS = 50;

const withFreePort = async (config: Config): Promise<Config> => {
  const { host, port } = config.process;
  const free = await getPort({ host, port: portNumbers(port, Math.min(port + PORTS, 65_535)) });
  return { ...config, process: { ...config.process, port: free } };
};

/** Puts a private Redis with sample coordinators under a configuration that names none. */
const embed = async (
  config: Config,
  parts: Running[],
  stop: AbortSignal,
  { say, onRedis }: StartOptions,
): Promise<Config> => {
  const redis = await startPrivateRedis();
  parts.push(redis);
  stop.throwIfAborted();
  say(`REDIS_URL is not set: using a private Redis at ${redis.url}, its data under .stalesweep/`);
  const embedded = onRedis(config, redis.url);
  const written = await fillWithSample(embedded);
  if (written > 0)
    say(`wrote ${written.toLocaleString('en-US')} sample coordinators into it, nearly all of them stale`);
  return embedded;
};

/** Runs until a signal comes; resolves with the exit code. */
export const runStart = async (given: Config, logger: Logger, options: StartOptions): Promise<number> =>
  await untilStopped(async (parts, stop) => {
    const embedded = !given.targetGiven;
    let config = embedded ? await embed(given, parts, stop, options) : given;
    if (embedded && !options.portIsChosen) config = await withFreePort(config);
    tellOfConfig(config, logger);
    const metrics = new Metrics();
    const outage = new Outage(logger, 'queue');
    stop.throwIfAborted();
    const dashboard = await startDashboard(config, metrics, logger, outage);
    parts.push(dashboard);
    stop.throwIfAborted();
    // The dashboard counts the runs of every worker, this one's among them.
    parts.push(await startWorker({ config, metrics, logger, outage }));
    stop.throwIfAborted();
    if (embedded) options.say(`\n${options.render(await runOnce(config, stop))}`);
    options.say(`\ndashboard: ${dashboard.url}/queues`);
    options.say('its history has every run and report; its "Add job" starts one by hand');
    options.say('Ctrl-C stops everything');
  }, logger);
