/** document: the settings as the pages list them, from the table that validates them. */
import { NOTIFY_SETTINGS } from './notify.ts';
import { PROCESS_SETTINGS } from './processSettings.ts';
import { SENTINEL_SETTINGS } from './sentinel.ts';
import { ADDRESS_SETTINGS, OWN_TARGET_SETTINGS, TARGET_SETTINGS } from './settings.ts';

type Row = { readonly env?: string; readonly default?: unknown; readonly about: string };

const FILE_KEYS: Readonly<Record<string, string>> = {
  url: 'targets.<name>.url',
  id: 'targets.<name>.id',
  replicas: 'targets.<name>.replicas',
  queueUrl: 'queue.url',
  queuePrefix: 'queue.prefix',
  config: '',
  sentinelUser: 'sentinel.user',
  sentinelPassword: 'sentinel.password',
  notifyUrl: 'notify.url',
  notifyOn: 'notify.on',
  notifySecret: 'notify.secret',
};

function cellOf(value: unknown): string {
  if (value === undefined) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

const TABLES: readonly Readonly<Record<string, Row>>[] = [
  ADDRESS_SETTINGS,
  SENTINEL_SETTINGS,
  OWN_TARGET_SETTINGS,
  TARGET_SETTINGS,
  NOTIFY_SETTINGS,
  PROCESS_SETTINGS,
];

function rows(settings: readonly (readonly [string, Row])[]): string[] {
  return settings.map(([name, { env, default: fallback, about }]) => {
    const key = FILE_KEYS[name] ?? name;
    return `| ${key ? `\`${key}\`` : ''} | ${env ? `\`${env}\`` : ''} | ${cellOf(fallback)} | ${about.replaceAll('|', '\\|')} |`;
  });
}

/** A Markdown table of these settings, in this order; left out: of every one. Throws where there is none of a name. */
export function documentSettings(names?: readonly string[]): string {
  const known = TABLES.flatMap((table) => Object.entries(table));
  const wanted = names?.map((name) => {
    const found = known.find(([one]) => one === name);
    if (found === undefined) throw new Error(`there is no setting "${name}"`);
    return found;
  });
  return ['| in the file | environment | default | what it does |', '|---|---|---|---|', ...rows(wanted ?? known)].join(
    '\n',
  );
}
