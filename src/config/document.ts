/** document: the settings as the README lists them, from the table that validates them. */
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

const cellOf = (value: unknown): string => {
  if (value === undefined) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
};

const rows = (table: Readonly<Record<string, Row>>): string[] =>
  Object.entries(table).map(([name, { env, default: fallback, about }]) => {
    const key = FILE_KEYS[name] ?? name;
    return `| ${key ? `\`${key}\`` : ''} | ${env ? `\`${env}\`` : ''} | ${cellOf(fallback)} | ${about.replaceAll('|', '\\|')} |`;
  });

/** A Markdown table of every setting. */
export const documentSettings = (): string =>
  [
    '| in the file | environment | default | what it does |',
    '|---|---|---|---|',
    ...rows(ADDRESS_SETTINGS),
    ...rows(SENTINEL_SETTINGS),
    ...rows(OWN_TARGET_SETTINGS),
    ...rows(TARGET_SETTINGS),
    ...rows(NOTIFY_SETTINGS),
    ...rows(PROCESS_SETTINGS),
  ].join('\n');
