/** configuration: what a process that stays says of its configuration as it starts. */
import type { Config } from '../src/config/resolve.ts';
import { showConfig } from '../src/config/show.ts';
import type { Logger } from '../src/log/logger.ts';

/** Logs what is in force, without secrets, and what of it the environment changed behind the file's back. */
export function tellOfConfig(config: Config, logger: Logger): void {
  logger.info({ config: showConfig(config) }, 'configuration');
  for (const override of config.overrides) logger.warn(override);
}
