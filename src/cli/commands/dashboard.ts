/** dashboard: the pages, Bull Board, metrics, health. */
import { loading, newCommand } from '../command.ts';
import type { Command } from '../commander.ts';

export function dashboardCommand(): Command {
  return newCommand('dashboard', 'serve the pages, Bull Board, metrics and health', [
    'host',
    'port',
    'schema',
    'logLevel',
  ]).action(async (options, command) => {
    const { serve } = await loading(async () => await import('../actions/dashboard.ts'));
    await serve(options, command);
  });
}
