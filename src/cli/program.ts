/** program: the commands, and how they explain themselves. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { NO_COLOR } from './command.ts';
import { Command } from './commander.ts';
import { completionCommand } from './commands/completion.ts';
import { dashboardCommand } from './commands/dashboard.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { enqueueCommand } from './commands/enqueue.ts';
import { explainCommand } from './commands/explain.ts';
import { historyCommand } from './commands/history.ts';
import { populateCommand } from './commands/populate.ts';
import { restoreCommand } from './commands/restore.ts';
import { runCommand } from './commands/run.ts';
import { scheduleCommand } from './commands/schedule.ts';
import { startCommand } from './commands/start.ts';
import { statusCommand } from './commands/status.ts';
import { stopCommand } from './commands/stop.ts';
import { workerCommand } from './commands/worker.ts';

const packageFile = createRequire(import.meta.url).resolve('#root/package.json');
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };

const HELP = `
The Redis that is cleaned is named by REDIS_URL, or in a file (--config).

Examples:
  $ stalesweep demo           see everything at work, on a Redis of its own
  $ export REDIS_URL=redis://main:6379
  $ stalesweep run --dry-run  count what a run would remove
  $ stalesweep run            clean it once, here and now
  $ stalesweep start          clean every 5 minutes; dashboard on port 3000

Exit codes: 0 done; 1 Redis could not be reached, or the run failed or was
refused; 2 wrong usage or configuration.`;

export function createProgram(): Command {
  const program = new Command('stalesweep')
    .description('Finds coordinators whose heartbeat stopped and removes everything they left in Redis.')
    .version(version)
    .option('--no-color', NO_COLOR)
    .hook('preAction', (_, command) => {
      // Whoever colours anything, libraries too, asks this variable.
      if (command.optsWithGlobals().color === false) process.env.NO_COLOR = '1';
    })
    .addHelpText('after', HELP);
  const commands = [
    startCommand(),
    demoCommand(),
    workerCommand(),
    dashboardCommand(),
    runCommand(),
    enqueueCommand(),
    stopCommand(),
    statusCommand(),
    restoreCommand(),
    scheduleCommand(),
    historyCommand(),
    explainCommand(),
    doctorCommand(),
    populateCommand(),
    completionCommand(),
  ];
  for (const command of commands) program.addCommand(command);
  for (const command of [program, ...commands]) {
    command.exitOverride().configureOutput({
      getOutHelpWidth: () => Math.min(process.stdout.columns ?? 80, 80),
      getErrHelpWidth: () => Math.min(process.stderr.columns ?? 80, 80),
      outputError: (text: string, write: (line: string) => void) =>
        write(
          `stalesweep: ${text
            .replace(/^error: /, '')
            .trim()
            .replaceAll('\n', ' ')}\n`,
        ),
    });
  }
  return program;
}
