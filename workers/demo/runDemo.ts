/** runDemo: the process behind `stalesweep demo`: what `start` does, on a private Redis with a sample that lives. */
import { setTimeout as pause } from 'node:timers/promises';
import getPort, { portNumbers } from 'get-port';
import { PROTECTED_ID } from '../../src/config/demo.ts';
import type { Config, TargetConfig } from '../../src/config/resolve.ts';
import type { Report } from '../../src/domain/report.ts';
import type { Logger } from '../../src/log/logger.ts';
import { Outage } from '../../src/log/outages.ts';
import { Metrics } from '../../src/metrics/registry.ts';
import { connect } from '../../src/redis/connection/connect.ts';
import { LivingSample, type Turn } from '../../src/redis/sample/livingSample.ts';
import { tellOfConfig } from '../configuration.ts';
import { fillWithSample, runOnce, SAMPLE } from './firstLook.ts';
import { startPrivateRedis } from './privateRedis.ts';
import { startDashboard } from '../runDashboard.ts';
import { untilStopped } from '../shutdown.ts';
import { type Running, startWorker } from '../worker.ts';

export interface DemoOptions {
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
const BEAT_EVERY_MS = 2_000;
const UNREADABLE_ID = 'in-seconds';

async function withFreePort(config: Config): Promise<Config> {
  const { host, port } = config.process;
  const free = await getPort({ host, port: portNumbers(port, Math.min(port + PORTS, 65_535)) });
  return { ...config, process: { ...config.process, port: free } };
}

function clock(): string {
  return new Date().toTimeString().slice(0, 8);
}

/** Lets the sample live until it is closed. */
async function startLife(target: TargetConfig, onTurn: (turn: Turn) => void): Promise<Running> {
  const redis = await connect(target, { onError: () => {} });
  const sample = { ...SAMPLE, staleAfterSeconds: target.staleAfterSeconds };
  const living = new LivingSample(redis, target.schema, sample);
  await living.writeOddities(await living.now(), { unreadable: UNREADABLE_ID, protected: PROTECTED_ID });
  const ending = new AbortController();
  const live = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      // A Redis that is away for a moment is part of life.
      const turns = await living
        .now()
        .then(async (now) => await living.beat(now))
        .catch(() => []);
      for (const turn of turns) onTurn(turn);
      await pause(BEAT_EVERY_MS, undefined, { signal: ending.signal }).catch(() => {});
    }
  };
  const life = live();
  return {
    close: async () => {
      ending.abort();
      redis.disconnect();
      await life;
    },
  };
}

/** Runs until a signal comes, and leaves nothing behind; resolves with the exit code. */
export async function runDemo(given: Config, logger: Logger, options: DemoOptions): Promise<number> {
  return await untilStopped(async (parts, stop) => {
    const { say, render, onRedis, portIsChosen } = options;
    say('stalesweep demo: cleans a Redis of its own, full of made-up coordinators; nothing of yours is touched');
    const redis = await startPrivateRedis();
    parts.push(redis);
    stop.throwIfAborted();
    const onPrivate = onRedis(given, redis.url);
    const config = portIsChosen ? onPrivate : await withFreePort(onPrivate);
    const target = config.targets.get('default');
    if (target === undefined) throw new Error('there is always a target "default"');
    tellOfConfig(config, logger);
    const metrics = new Metrics();
    const outage = new Outage(logger, 'queue');
    stop.throwIfAborted();
    const dashboard = await startDashboard(config, metrics, logger, outage);
    parts.push(dashboard);
    say(`look at it: ${dashboard.url}/`);
    say(
      'Ctrl-C ends it and leaves nothing behind; until then, "npx stalesweep history" and the like, started here, mean its Redis',
    );
    stop.throwIfAborted();

    await fillWithSample(target, stop);
    const { coordinators, stale } = SAMPLE;
    const staleAfter = `${target.staleAfterSeconds} s`;
    const [all, silent] = [coordinators, stale].map((count) => count.toLocaleString('en-US'));
    say(`\nwrote ${all} coordinators, ${silent} of them silent for an hour`);
    say(`the others live: some of them fall silent, are swept after ${staleAfter}, and come back`);
    stop.throwIfAborted();
    const tell = ({ what, ids: [one, ...more], swarm }: Turn) =>
      say(`${clock()}  ${one} and ${more.length} more of ${swarm} ${what}`);
    parts.push(await startLife(target, tell));
    stop.throwIfAborted();
    const onEnded = (report: Report | null) => {
      const swept = report?.coordinators.swept ?? 0;
      if (report === null || swept === 0) return;
      const { run, keys } = report;
      const [who, what] = [swept, keys.deleted].map((count) => count.toLocaleString('en-US'));
      say(`${clock()}  run ${run} swept ${who} coordinators with ${what} keys; ${dashboard.url}/runs/${run}`);
    };
    parts.push(await startWorker({ config, metrics, logger, outage, onEnded }));
    stop.throwIfAborted();
    say(`\n${render(await runOnce(config, stop))}\n`);
  }, logger);
}
