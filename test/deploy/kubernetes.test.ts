import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { resolveConfig } from '../../src/config/resolve.ts';
import { SETTINGS_ENV } from '../../src/config/settings/settings.ts';
import { Metrics } from '../../src/metrics/registry.ts';
import { folder } from '../support/files.ts';
import { wrongIn } from './kubernetesSchemas.ts';
import { CLI_COMMANDS, ROOT, read, readYaml } from './project.ts';

const FOLDER = 'deploy/kubernetes';

interface Container {
  readonly args: readonly string[];
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext: object;
  readonly livenessProbe: { readonly httpGet: { readonly path: string; readonly port: string } };
  readonly readinessProbe: Container['livenessProbe'];
  readonly resources: { readonly limits: { readonly memory: string } };
}

interface Thing {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly replicas?: number;
    readonly selector?: unknown;
    readonly template?: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: { readonly containers: readonly Container[]; readonly securityContext: object };
    };
    readonly triggers?: readonly { readonly metadata: { readonly query: string } }[];
  };
}

function thingsIn(text: string): Thing[] {
  return parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Thing;
  });
}

interface Kustomization {
  readonly resources: readonly string[];
  readonly images: readonly { readonly name: string; readonly newTag: string }[];
}

const kustomization = readYaml<Kustomization>(`${FOLDER}/kustomization.yaml`);
const things = kustomization.resources.flatMap((name) => thingsIn(read(`${FOLDER}/${name}`)));
const parts = ['monitoring/monitors.yaml', 'scaling/scaledobject.yaml'].flatMap((name) =>
  thingsIn(read(`${FOLDER}/${name}`)),
);
const deployments = things.filter(({ kind }) => kind === 'Deployment');

describe('deploy/kubernetes', () => {
  test('has all that a service needs, at versions that clusters have', () => {
    expect(things.map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`)).toEqual([
      'v1 Namespace stalesweep',
      'apps/v1 Deployment worker',
      'policy/v1 PodDisruptionBudget worker',
      'v1 Service worker',
      'apps/v1 Deployment dashboard',
      'v1 Service dashboard',
      'networking.k8s.io/v1 NetworkPolicy stalesweep',
    ]);
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(kustomization.images).toEqual([expect.objectContaining({ name: 'stalesweep', newTag: version })]);
  });

  test.each([...things, ...parts].map((one) => [`${one.kind} ${one.metadata.name}`, one] as const))(
    '%s is what the schema of its kind allows, with no field that it does not know',
    (_, thing) => expect(wrongIn(thing)).toEqual([]),
  );

  test('a schema refuses what is wrong, and tells of a field that it does not know', () => {
    const [worker] = deployments;
    const { template, ...spec } = worker?.spec ?? {};
    const [container, ...others] = template?.spec.containers ?? [];
    const withContainer = (changed: object) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      spec: { ...spec, template: { ...template, spec: { containers: [{ ...container, ...changed }, ...others] } } },
    });
    expect(wrongIn(withContainer({ ports: [{ containerPort: 'http' }] })).join()).toContain('containerPort');
    const mistyped = wrongIn(withContainer({ livenessProb: {} }));
    expect(mistyped).toEqual(['unknown field .spec.template.spec.containers.0.livenessProb']);
    const probe = { ...container?.livenessProbe, periodSecond: 1 };
    expect(wrongIn(withContainer({ livenessProbe: probe })).join()).toContain('livenessProbe.periodSecond');
  });

  test.each(deployments.map((one) => [one.metadata.name, one] as const))(
    '%s runs a command that exists, with the least rights and probes',
    (name, { spec }) => {
      const { template } = spec;
      expect(template?.metadata.labels).toEqual((spec.selector as { matchLabels: object }).matchLabels);
      const [container] = template?.spec.containers ?? [];
      expect(CLI_COMMANDS).toContain(name);
      expect(container?.args).toEqual([name]);
      for (const one of container?.env ?? []) expect(SETTINGS_ENV).toContain(one.name);
      expect(container?.ports.map((port) => String(port.containerPort))).toEqual(
        container?.env.filter((one) => one.name.endsWith('_PORT')).map((one) => one.value),
      );
      expect(container?.livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'http' });
      expect(container?.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'http' });
      expect(container?.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(template?.spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(container?.resources.limits.memory).toMatch(/^\d+Mi$/);
    },
  );

  test('its configuration is one that a process starts with, and its secret holds settings', () => {
    const env = Object.fromEntries(
      read(`${FOLDER}/secret.env`)
        .trim()
        .split('\n')
        .map((line) => line.split(/=(.*)/s).slice(0, 2)),
    );
    const { targets } = resolveConfig({}, env, { name: 'stalesweep.yaml', text: read(`${FOLDER}/stalesweep.yaml`) });
    expect([...targets.values()]).toMatchObject([{ mode: 'observe', url: env.REDIS_URL }]);
  });

  test('scaling asks for a metric that exists', () => {
    const [scaled] = thingsIn(read(`${FOLDER}/scaling/scaledobject.yaml`));
    const [metric = ''] = /stalesweep_\w+/.exec(scaled?.spec.triggers?.[0]?.metadata.query ?? '') ?? [];
    expect(new Metrics().registry.getSingleMetric(metric)).toBeDefined();
  });

  test('kustomize, where it is there, makes one whole of it, in which every name is one that exists', async () => {
    const copy = join(await folder(), 'kubernetes');
    cpSync(FOLDER, copy, { recursive: true });
    const file = join(copy, 'kustomization.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^# components/m, 'components'));
    const { error, stdout, stderr } = spawnSync('kubectl', ['kustomize', copy], { encoding: 'utf8' });
    // Whatever is missing here, the files themselves were read above.
    const made = error === undefined ? thingsIn(stdout) : things;
    expect(stderr ?? '').toBe('');
    expect(made.length).toBeGreaterThanOrEqual(things.length);
    expect(made.flatMap(wrongIn)).toEqual([]);
    const secrets = made.filter(({ kind }) => kind === 'Secret').map(({ metadata }) => metadata.name);
    for (const name of [...(stdout?.matchAll(/name: (stalesweep-\w+)\n\s+key: STALESWEEP/g) ?? [])])
      expect(secrets).toContain(name[1]);
  });
});

describe('deploy/compose', () => {
  interface Service {
    readonly command: readonly string[];
    readonly environment: Readonly<Record<string, string>>;
    readonly volumes: readonly { readonly source: string; readonly target: string; readonly read_only: boolean }[];
    readonly read_only: boolean;
  }
  const { services } = readYaml<{ services: Record<string, Service> }>('deploy/compose/compose.yaml');

  test.each(Object.entries(services))(
    '%s runs with settings that exist and files that are mounted',
    (name, service) => {
      expect([service.command, service.read_only]).toEqual([[name], true]);
      expect(service.volumes.every((mount) => mount.read_only)).toBe(true);
      for (const [setting, value] of Object.entries(service.environment)) {
        expect(SETTINGS_ENV).toContain(setting);
        if (String(value).startsWith('/etc'))
          expect(service.volumes.some(({ target }) => value.startsWith(target))).toBe(true);
      }
    },
  );

  test.each(Object.keys(services))('%s hears what the runbooks set for a while', (name) => {
    const commands = readdirSync(`${ROOT}docs/runbooks`).flatMap((page) => [
      ...read(`docs/runbooks/${page}`).matchAll(/(\w+)=\S+\s+docker\s+compose\s+up/g),
    ]);
    expect(commands.length).toBeGreaterThan(3);
    for (const [, setting = ''] of commands) expect(services[name]?.environment).toHaveProperty(setting, null);
  });

  test('its configuration is one that a process starts with, over TLS', () => {
    const { targets, queue } = resolveConfig(
      {},
      {},
      { name: 'stalesweep.yaml', text: read('deploy/compose/stalesweep.yaml') },
    );
    for (const { url } of [...targets.values(), queue]) expect(url).toMatch(/^rediss:/);
  });
});
