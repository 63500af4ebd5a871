/** show: the configuration in force, as it is logged once at start: without secrets. */
import type { Config } from './resolve.ts';
import { showNotify } from './settings/notify.ts';
import { redactUrl } from './values/redisUrl.ts';

export function showConfig(config: Config): Record<string, unknown> {
  const { dashboardPassword, ...process } = config.process;
  return {
    ...process,
    ...(dashboardPassword === undefined ? {} : { dashboardPassword: '***' }),
    ...(config.notify === undefined ? {} : { notify: showNotify(config.notify) }),
    queue: redactUrl(config.queue.url),
    queuePrefix: config.queue.prefix,
    targets: [...config.targets.values()].map(
      ({ schema, url, orphans, replicas, history: _, tls: __, sentinel: ___, ...target }) => ({
        ...target,
        url: redactUrl(url),
        ...(replicas.length === 0 ? {} : { replicas: replicas.map(redactUrl) }),
        schema: schema.name,
        orphans,
      }),
    ),
  };
}
