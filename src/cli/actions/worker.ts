/** worker: takes runs from the queue until it is stopped. */
import { createLogger } from '../../log/logger.ts';
import { runWorker } from '../../../workers/runWorker.ts';
import { Exit } from '../command.ts';
import type { Command } from '../commander.ts';
import { configOf } from '../config.ts';
import { insistOnTarget, withPrivateRedis } from '../target.ts';

/** Resolves never: ends in `Exit`, with the code to end with, once a signal came. */
export async function work(_options: object, command: Command): Promise<void> {
  const config = await withPrivateRedis(configOf(command));
  insistOnTarget(config);
  const logger = createLogger(config.process.logLevel);
  throw new Exit(await runWorker(config, logger));
}
