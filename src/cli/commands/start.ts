import type { Command } from 'commander';
import { newCommand } from '../command.ts';
export const startCommand = (): Command =>
  newCommand('start', 'everything in one process: schedules, one worker, the dashboard');
