/** dashboard: Bull Board, metrics, health. */
import type { Command } from 'commander';
import { runDashboard } from '../../../workers/runDashboard.ts';
import { createLogger } from '../../log/logger.ts';
import { configOf, Exit, newCommand } from '../command.ts';
import { withPrivateRedis } from '../target.ts';

export const dashboardCommand = (): Command =>
  newCommand('dashboard', 'serve Bull Board, metrics and health', ['host', 'port', 'schema', 'logLevel']).action(
    async (_options: object, command: Command) => {
      const config = await withPrivateRedis(configOf(command));
      const logger = createLogger(config.process.logLevel);
      throw new Exit(await runDashboard(config, logger));
    },
  );
