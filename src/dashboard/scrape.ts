/** scrape: `/metrics`. What changes without a run (queue depths, whether targets answer, their memory) is asked for when Prometheus asks. */
import type { RequestHandler } from 'express';
import type { TargetConfig } from '../config/resolve.ts';
import { sentenceOf } from '../domain/failure.ts';
import { readQueueState } from '../health/queueState.ts';
import type { Metrics } from '../metrics/registry.ts';
import type { Queues } from '../queue/queues.ts';
import { inTime, type Links } from './readiness.ts';

async function refreshQueues({ metrics, queues, targets }: ScrapeParts): Promise<void> {
  const { runs, schedule } = queues;
  try {
    const depths = await inTime(
      Promise.all([runs, schedule].map(async (queue) => ({ queue: queue.name, counts: await queue.getJobCounts() }))),
    );
    for (const { queue, counts } of depths) metrics.queueDepths(queue, counts);
    metrics.queueState(await inTime(readQueueState(queues, targets)));
  } catch {
    // An absent number can be alerted on, an old one can't.
    metrics.forgetQueues();
  }
}

async function refreshTarget(metrics: Metrics, target: TargetConfig, links: Links): Promise<void> {
  const [time, info] = await inTime(
    links.to(target).then(async (redis) => await Promise.allSettled([redis.time(), redis.info('memory')])),
  ).catch(() => []);
  // Whoever may not ask was answered all the same.
  const isUp = time?.status === 'fulfilled' || sentenceOf(time?.reason).startsWith('NOPERM');
  const bytes = info?.status === 'fulfilled' ? /^used_memory:(\d+)/m.exec(info.value)?.[1] : undefined;
  metrics.targetUp(target.name, isUp);
  metrics.usedMemory(target.name, bytes === undefined ? null : Number(bytes));
}

export interface ScrapeParts {
  readonly metrics: Metrics;
  readonly targets: ReadonlyMap<string, TargetConfig>;
  readonly queues: Queues;
  readonly links: Links;
}

/** Metrics of the whole fleet. A Redis that does not answer is left out; the page itself never fails for it. */
export function answerScrape(parts: ScrapeParts): RequestHandler {
  return async (_request, response) => {
    const { metrics, targets, links } = parts;
    await Promise.all([
      refreshQueues(parts),
      ...[...targets.values()].map((target) => refreshTarget(metrics, target, links)),
    ]);
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  };
}

/** Metrics of this process alone: queues and targets are the dashboard's to ask, or they would be counted twice. */
export function answerOwnScrape(metrics: Metrics): RequestHandler {
  return async (_request, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  };
}
