/** metrics: the metric names that exist, and those that a PromQL expression asks for. */

/** As exposed: a histogram is three of them. */
export const METRIC_NAMES: readonly string[] = [
  'stalesweep_runs_total',
  'stalesweep_run_duration_seconds_bucket',
  'stalesweep_run_duration_seconds_sum',
  'stalesweep_run_duration_seconds_count',
  'stalesweep_coordinators_total',
  'stalesweep_keys_deleted_total',
  'stalesweep_unreadable_heartbeats',
  'stalesweep_memory_freed_bytes_total',
  'stalesweep_redis_call_duration_seconds_bucket',
  'stalesweep_redis_call_duration_seconds_sum',
  'stalesweep_redis_call_duration_seconds_count',
  'stalesweep_last_success_timestamp_seconds',
  'stalesweep_redis_used_memory_bytes',
  'stalesweep_queue_jobs',
];

/** Those that only the process that made the calls can know; the dashboard has the others for the whole fleet. */
export const ONLY_IN_WORKERS: readonly string[] = METRIC_NAMES.filter((name) =>
  name.startsWith('stalesweep_redis_call_'),
);

/** Made by Prometheus itself, for each target it scrapes. */
export const MADE_BY_PROMETHEUS: readonly string[] = ['up'];

const WORDS = new Set(['and', 'or', 'unless', 'offset', 'bool', 'inf', 'nan']);

/** Every metric that an expression reads, once. */
export const metricsIn = (expression: string): string[] => {
  const bare = expression
    .replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '')
    .replace(/\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/gi, ' ');
  const names = bare.matchAll(/(?<![\w:])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])/g);
  return [...new Set([...names].map(([name]) => name))].filter((name) => !WORDS.has(name.toLowerCase()));
};
