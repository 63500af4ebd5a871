/** metrics: the metric names that exist, and those that a PromQL expression asks for. */
import { Metrics } from '../../src/metrics/registry.ts';

const described = await new Metrics().registry.getMetricsAsJSON();

/** As exposed: a histogram is three of them. */
export const METRIC_NAMES: readonly string[] = described
  .filter(({ name }) => name.startsWith('stalesweep_'))
  .flatMap(({ name, type }) =>
    String(type) === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );

/** Those that only the process that made the calls can know; the dashboard has the others for the whole fleet. */
export const ONLY_IN_WORKERS: readonly string[] = METRIC_NAMES.filter((name) =>
  name.startsWith('stalesweep_redis_call_'),
);

/** Made by Prometheus itself, for each target it scrapes. */
export const MADE_BY_PROMETHEUS: readonly string[] = ['up'];

const WORDS = new Set(['and', 'or', 'unless', 'offset', 'bool', 'inf', 'nan']);

/** Every metric that an expression reads, once. */
export function metricsIn(expression: string): string[] {
  const bare = expression
    .replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '')
    .replace(/\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/gi, ' ');
  const names = bare.matchAll(/(?<![\w:])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])/g);
  return [...new Set([...names].map(([name]) => name))].filter((name) => !WORDS.has(name.toLowerCase()));
}
