import { describe, expect, test } from 'vitest';
import { SETTINGS_ENV } from '../../src/config/settings/settings.ts';
import { CLI_COMMANDS, exists, read, readYaml } from './project.ts';

interface Bind {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly read_only: boolean;
}

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly container_name?: string;
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly expose?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly (string | Bind)[];
  readonly secrets?: readonly { readonly source: string; readonly mode: unknown }[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: unknown;
  readonly profiles?: readonly string[];
  readonly stop_grace_period?: string;
}

interface Prometheus {
  readonly rule_files: readonly string[];
  readonly scrape_configs: readonly {
    readonly job_name: string;
    readonly basic_auth?: Readonly<Record<string, string>>;
    readonly static_configs?: readonly { readonly targets: readonly string[] }[];
    readonly dns_sd_configs?: readonly { readonly names: readonly string[]; readonly port: number }[];
  }[];
}

const compose = readYaml<{
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
  secrets: Record<string, { environment: string }>;
}>('docker-compose.yml');
const prometheus = readYaml<Prometheus>('docs/monitoring/prometheus.yml');

const services = Object.entries(compose.services);
const ours = services.filter(([, service]) => service.build !== undefined);
const { redis, worker, dashboard, prometheus: monitor, grafana } = compose.services;
/** Source, target and mode of each mount that is written in short. */
function mountsOf({ volumes = [] }: Service) {
  return volumes.flatMap((mount) => (typeof mount === 'string' ? [mount.split(':')] : []));
}
function bindsOf({ volumes = [] }: Service) {
  return volumes.flatMap((mount) => (typeof mount === 'string' ? [] : [mount]));
}
const mounts = services.flatMap(([, service]) => mountsOf(service));

describe('docker-compose.yml', () => {
  test('builds our services from this folder and starts commands that exist', () => {
    expect(ours.map(([name]) => name)).toEqual(['worker', 'dashboard']);
    for (const [name, { build, command = [] }] of ours) {
      expect(exists(`${build}/Dockerfile`)).toBe(true);
      expect(command).toEqual([name]);
      expect(CLI_COMMANDS).toContain(name);
    }
  });

  test('sets only environment variables that stalesweep knows, or of OpenTelemetry those that its page names', () => {
    const traces = [...read('docs/monitoring.md').matchAll(/`(OTEL_\w+)`/g)].map(([, name]) => name);
    for (const [, { environment = {} }] of ours) {
      for (const variable of Object.keys(environment)) expect([...SETTINGS_ENV, ...traces]).toContain(variable);
    }
  });

  test('passes every setting that there is', () => {
    const passed = new Set(ours.flatMap(([, { environment = {} }]) => Object.keys(environment)));
    expect(SETTINGS_ENV.filter((name) => !passed.has(name))).toEqual([]);
  });

  test('mounts each file that a setting may name, read-only, at the path which the setting has in there', () => {
    const files = ['STALESWEEP_CONFIG', 'STALESWEEP_TLS_CA', 'STALESWEEP_TLS_CERT', 'STALESWEEP_TLS_KEY'];
    for (const [, service] of ours) {
      const binds = bindsOf(service);
      expect(binds.map(({ source }) => source)).toEqual(files.map((name) => `\${${name}:-/dev/null}`));
      for (const [i, { type, target, read_only }] of binds.entries()) {
        expect([type, read_only]).toEqual(['bind', true]);
        const name = files[i] ?? '';
        expect(service.environment?.[name]).toBe(`\${${name}:+${target}}`);
      }
    }
  });

  test("takes only stalesweep's own variables from the host, and says what to do when a needed one is missing", () => {
    const taken = [...read('docker-compose.yml').matchAll(/\$\{(\w+)(?::?([?+-])([^}]*))?\}/g)];
    expect(taken.length).toBeGreaterThan(0);
    for (const [, variable, kind, sentence = ''] of taken) {
      expect(SETTINGS_ENV).toContain(variable);
      if (kind === '?') expect(sentence).toMatch(/^choose .*\bexport\b/);
    }
    for (const { environment } of Object.values(compose.secrets)) expect(SETTINGS_ENV).toContain(environment);
  });

  test('gives all our services the same targets and schedules', () => {
    const shared = ours.map(([, { environment = {} }]) =>
      Object.fromEntries(
        Object.entries(environment).filter(
          ([name]) => !/_(HOST|PORT|USER|PASSWORD|READ_ONLY|ACTIONS|PATH|PROXY)$/.test(name),
        ),
      ),
    );
    expect(shared[0]).toEqual(shared[1]);
  });

  test('lets the worker be scaled: no name, no published port', () => {
    expect(worker?.container_name).toBeUndefined();
    expect(worker?.ports).toBeUndefined();
    expect(worker?.stop_grace_period).toBeDefined();
  });

  test('publishes nothing beyond this machine, and each port once', () => {
    const published = services.flatMap(([, { ports = [] }]) => ports);
    for (const port of published) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    expect(new Set(published.map((port) => port.split(':')[1])).size).toBe(published.length);
  });

  test('serves the dashboard beyond loopback only with a user and a password from the host', () => {
    expect(dashboard?.environment?.STALESWEEP_HOST).toBe('0.0.0.0');
    expect(dashboard?.environment?.STALESWEEP_DASHBOARD_USER).toMatch(/^\$\{STALESWEEP_DASHBOARD_USER:\?/);
    expect(dashboard?.environment?.STALESWEEP_DASHBOARD_PASSWORD).toMatch(/^\$\{STALESWEEP_DASHBOARD_PASSWORD:\?/);
    expect(dashboard?.ports?.[0]?.split(':')[2]).toBe(String(dashboard?.environment?.STALESWEEP_PORT));
  });

  test('mounts only what exists here or is a declared volume, and writes to nothing of ours', () => {
    expect(mounts.length).toBeGreaterThan(0);
    for (const [source = '', , mode] of mounts) {
      if (!source.startsWith('.')) expect(Object.keys(compose.volumes)).toContain(source);
      else expect([exists(source), mode]).toEqual([true, 'ro']);
    }
  });

  test('pins the version of every image that it does not build', () => {
    for (const [, { image, build }] of services) {
      if (build === undefined) expect(image).toMatch(/:v?\d+\.\d+\.\d+(-[a-z0-9.]+)?$/);
    }
  });

  test('keeps every key of the queue and its history, and starts nobody before Redis answers', () => {
    expect(redis?.command?.join(' ')).toContain('--maxmemory-policy noeviction');
    expect(redis?.volumes).toEqual(['redis:/data']);
    for (const [, { depends_on = {} }] of ours) expect(depends_on.redis?.condition).toBe('service_healthy');
    for (const [, { depends_on = {} }] of services) {
      for (const name of Object.keys(depends_on)) expect(compose.services[name]?.healthcheck).toBeDefined();
    }
  });

  test('starts Prometheus and Grafana only when asked to', () => {
    expect(services.filter(([, { profiles }]) => profiles?.includes('monitoring')).map(([name]) => name)).toEqual([
      'prometheus',
      'grafana',
    ]);
  });
});

describe('the monitoring profile', () => {
  const folder = monitor && mountsOf(monitor).find(([, at]) => at === '/etc/prometheus')?.[0];

  test('gives Prometheus its configuration and every rule file that this names', () => {
    expect(monitor?.command).toContain('--config.file=/etc/prometheus/prometheus.yml');
    for (const file of ['prometheus.yml', ...prometheus.rule_files]) expect(exists(`${folder}/${file}`)).toBe(true);
  });

  test('gives Prometheus the user and the password of the dashboard, readable for its own user', () => {
    const given = (monitor?.secrets ?? []).map(({ source }) => source);
    const [job] = prometheus.scrape_configs;
    const asked = { ...job?.basic_auth };
    expect(compose.secrets[asked.username_file?.split('/').at(-1) ?? '']?.environment).toBe(
      'STALESWEEP_DASHBOARD_USER',
    );
    expect(compose.secrets[asked.password_file?.split('/').at(-1) ?? '']?.environment).toBe(
      'STALESWEEP_DASHBOARD_PASSWORD',
    );
    expect(Object.values(asked).sort()).toEqual(given.map((name) => `/run/secrets/${name}`).sort());
    expect(read('docker-compose.yml').match(/source: \w+, mode: 0444/g)).toHaveLength(given.length);
  });

  test('scrapes services that exist, on ports where they answer', () => {
    const targets = prometheus.scrape_configs.flatMap((job) => job.static_configs?.flatMap((one) => one.targets) ?? []);
    expect(targets).toEqual([`dashboard:${String(dashboard?.environment?.STALESWEEP_PORT)}`]);
    const [found] = prometheus.scrape_configs.flatMap((job) => job.dns_sd_configs ?? []);
    expect(found?.names).toEqual(['worker']);
    expect(found?.port).toBe(worker?.environment?.STALESWEEP_METRICS_PORT);
    expect(worker?.expose).toEqual([String(found?.port)]);
    expect(worker?.environment?.STALESWEEP_HOST).toBe('0.0.0.0');
  });

  test('shows the dashboard in Grafana, from a data source that points at Prometheus', () => {
    const base = 'docs/monitoring/grafana/provisioning';
    const sources = readYaml<{ datasources: { url: string }[] }>(`${base}/datasources/prometheus.yml`).datasources;
    expect(sources.map(({ url }) => url)).toEqual(['http://prometheus:9090']);
    const [provider] = readYaml<{ providers: { options: { path: string } }[] }>(
      `${base}/dashboards/stalesweep.yml`,
    ).providers;
    const mount = grafana && mountsOf(grafana).find(([, at]) => at === provider?.options.path);
    expect(exists(`${mount?.[0]}/stalesweep.json`)).toBe(true);
    expect(grafana?.environment?.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH).toBe(`${mount?.[1]}/stalesweep.json`);
  });
});
