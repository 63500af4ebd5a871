/** doctor: what is wrong with the surroundings, and what to do about it. */
import type { Command } from 'commander';
import type { Finding } from '../../health/finding.ts';
import { examine } from '../doctor.ts';
import { configOf, Exit, newCommand } from '../command.ts';
import { plain } from '../render.ts';
import { targetOf, withPrivateRedis } from '../target.ts';

const SIGNS: Readonly<Record<Finding['status'], string>> = { ok: 'ok  ', warning: 'WARN', failed: 'FAIL' };

export const doctorCommand = (): Command =>
  newCommand('doctor', 'check connection, permissions, eviction policy and schema', ['staleAfter', 'schema'])
    .option('--target <name>', 'the target to check (default: every one)')
    .option('--json', 'print the findings as JSON')
    .action(async (options: { target?: string; json?: boolean }, command: Command) => {
      const config = await withPrivateRedis(configOf(command));
      const targets = options.target === undefined ? [...config.targets.values()] : [targetOf(config, options.target)];
      const findings = await examine(config, targets);
      if (options.json) console.log(JSON.stringify(findings));
      else {
        for (const { status, check, target, message, advice } of findings) {
          console.log(plain(`${SIGNS[status]}  ${target === null ? 'queue' : target}: ${check}: ${message}`));
          if (advice !== null) console.log(`      -> ${advice}`);
        }
      }
      if (findings.some(({ status }) => status === 'failed')) throw new Exit(1);
    });
