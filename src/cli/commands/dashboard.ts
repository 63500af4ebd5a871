import type { Command } from 'commander';
import { newCommand } from '../command.ts';
export const dashboardCommand = (): Command => newCommand('dashboard', 'Bull Board, metrics and health');
