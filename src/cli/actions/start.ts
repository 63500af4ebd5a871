/** start: everything in one process, until a signal comes. */
import { runStart } from '../../../workers/runStart.ts';
import { createLogger } from '../../log/logger.ts';
import { Exit } from '../command.ts';
import type { Command } from '../commander.ts';
import { configOf } from '../config.ts';
import { insistOnTarget } from '../target.ts';

/** Resolves never: ends in `Exit`, with the code to end with, once a signal came. Fails (`USAGE`) without a target. */
export async function start(_options: object, command: Command): Promise<void> {
  const config = configOf(command);
  insistOnTarget(config);
  const logger = createLogger(config.process.logLevel);
  throw new Exit(await runStart(config, logger, (text) => console.log(text)));
}
