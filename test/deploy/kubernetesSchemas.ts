/** kubernetesSchemas: whether a manifest is what its kind's schema allows, and says nothing that the schema does not know. */
import { createRequire } from 'node:module';

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Validates what it is called on. */
type Validate = (this: unknown) => void;

/** Which package has the kinds of a group that is not Kubernetes' own. */
const OTHERS: Readonly<Record<string, string>> = {
  'keda.sh': '@kubernetes-models/keda/',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator/',
};

const require = createRequire(import.meta.url);

/** Throws where there is none: then nobody can tell. */
function validatorOf({ apiVersion, kind }: Manifest): Validate {
  const [group = ''] = apiVersion.split('/');
  const models = require(`${OTHERS[group] ?? 'kubernetes-models/'}${apiVersion}/${kind}`) as Record<string, unknown>;
  return (models[kind] as { prototype: { validate: Validate } }).prototype.validate;
}

/**
 * The same value, which notes what is read of it: a schema reads every field that it knows, and of what may have any field, all.
 * @param unread holds the paths that nobody has read
 */
function watched<T>(value: T, unread: Set<string>, path = ''): T {
  if (typeof value !== 'object' || value === null) return value;
  const children = new Map(
    Object.entries(value).map(([name, child]) => {
      const at = `${path}.${name}`;
      unread.add(at);
      return [name, watched(child as unknown, unread, at)];
    }),
  );
  return new Proxy(value, {
    get: (target, name) => {
      if (typeof name === 'symbol' || !children.has(name)) return Reflect.get(target, name) as unknown;
      unread.delete(`${path}.${name}`);
      return children.get(name);
    },
  });
}

/** What is wrong with a manifest: what its schema refuses, or the fields that it does not know; nothing: an empty list. */
export function wrongIn(manifest: Manifest): string[] {
  const unread = new Set<string>();
  try {
    validatorOf(manifest).call(watched(manifest, unread));
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
  return [...unread].map((path) => `unknown field ${path}`);
}
