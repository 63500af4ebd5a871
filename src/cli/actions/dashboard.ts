/** dashboard: serves the pages until it is stopped. */
import { runDashboard } from '../../../workers/runDashboard.ts';
import { createLogger } from '../../log/logger.ts';
import { Exit } from '../command.ts';
import type { Command } from '../commander.ts';
import { configOf } from '../config.ts';
import { withPrivateRedis } from '../target.ts';

/** Resolves never: ends in `Exit`, with the code to end with, once a signal came. */
export async function serve(_options: object, command: Command): Promise<void> {
  const config = await withPrivateRedis(configOf(command));
  const logger = createLogger(config.process.logLevel);
  throw new Exit(await runDashboard(config, logger));
}
