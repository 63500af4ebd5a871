/** dashboard: the real thing over real HTTP, for one test file. */
import { createLogger } from '../../src/log/logger.ts';
import { type Config, type Environment, resolveConfig } from '../../src/config/resolve.ts';
import { createDashboard, serve } from '../../src/dashboard/app.ts';
import { Metrics } from '../../src/metrics/registry.ts';
import { openQueues } from '../../src/queue/queues.ts';

export const USER = 'admin';
export const PASSWORD = 'pass:word with ünïcode';
export const WITH_CREDENTIALS = { STALESWEEP_DASHBOARD_USER: USER, STALESWEEP_DASHBOARD_PASSWORD: PASSWORD };

export function basic(user: string, password: string) {
  return {
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  };
}

interface Setup {
  readonly create?: typeof createDashboard;
  /** What was loaded already, certificates and all; it goes before the environment. */
  readonly config?: Config;
  /** A configuration file. */
  readonly yaml?: string | undefined;
}

export async function startDashboard(env: Environment, { create = createDashboard, config: loaded, yaml }: Setup = {}) {
  const config =
    loaded ?? resolveConfig({}, env, yaml === undefined ? undefined : { name: 'stalesweep.yaml', text: yaml });
  const logger = createLogger('silent');
  const metrics = new Metrics();
  const queues = await openQueues(config.queue, { onError: () => {}, onReady: () => {} });
  const dashboard = create({ config, queues, metrics, logger });
  const served = await serve(dashboard.app, '127.0.0.1', 0);
  const ask = (path: string, init: RequestInit = {}) => fetch(`${served.url}${path}`, { redirect: 'manual', ...init });
  const send = (method: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
    ask(path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return {
    config,
    metrics,
    logger,
    queues,
    url: served.url,
    ask,
    send,
    close: async () => {
      await served.close();
      await dashboard.close();
      await queues.close();
    },
  };
}

export type TestDashboard = Awaited<ReturnType<typeof startDashboard>>;
