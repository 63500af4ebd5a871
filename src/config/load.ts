/** load: the configuration of this process, from its flags, its environment and the files they name. */
import { parseSetting } from './complaint.ts';
import { readText } from './file/readText.ts';
import { type Config, type ConfigFile, type Environment, type Flags, resolveConfig } from './resolve.ts';
import { ADDRESS_SETTINGS } from './settings/settings.ts';
import { readTls } from './values/tls.ts';

/**
 * Fails (`CONFIG`) with one sentence when anything is wrong.
 * @param otherwise holds where nobody names a file
 */
export function loadConfig(flags: Flags, env: Environment, otherwise?: ConfigFile): Config {
  const name = flags.config ?? env.STALESWEEP_CONFIG;
  if (name)
    parseSetting(ADDRESS_SETTINGS.config.schema, name, flags.config === undefined ? 'STALESWEEP_CONFIG' : '--config');
  const file = name ? { name, text: readText(name, `the configuration file ${name}`) } : otherwise;
  const config = resolveConfig(flags, env, file);
  const tls = readTls(config.process);
  if (tls === undefined) return config;
  const targets = [...config.targets].map(([key, target]) => [key, { ...target, tls }] as const);
  return { ...config, queue: { ...config.queue, tls }, targets: new Map(targets) };
}
