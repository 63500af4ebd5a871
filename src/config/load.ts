/** load: the configuration of this process, from its flags, its environment and the files they name. */
import { readFileSync } from 'node:fs';
import { Failure } from '../domain/failure.ts';
import { readTls } from './tls.ts';
import { type Config, type ConfigFile, type Environment, type Flags, resolveConfig } from './resolve.ts';

const readConfigFile = (name: string): ConfigFile => {
  try {
    return { name, text: readFileSync(name, 'utf8') };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' ? 'does not exist' : `can't be read (${code})`;
    throw new Failure('CONFIG', `the configuration file ${name} ${why}`, { cause: error });
  }
};

/** Fails (`CONFIG`) with one sentence when anything is wrong. */
export const loadConfig = (flags: Flags, env: Environment): Config => {
  const name = flags.config ?? env.STALESWEEP_CONFIG;
  const config = resolveConfig(flags, env, name ? readConfigFile(name) : undefined);
  const tls = readTls(config.process);
  if (tls === undefined) return config;
  const targets = [...config.targets].map(([key, target]) => [key, { ...target, tls }] as const);
  return { ...config, queue: { ...config.queue, tls }, targets: new Map(targets) };
};
