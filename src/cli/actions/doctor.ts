/** doctor: says what is wrong with the surroundings, and what to do about it. */
import type { Finding } from '../../health/finding.ts';
import { examine } from '../doctor.ts';
import { Exit } from '../command.ts';
import type { Command } from '../commander.ts';
import { configOf } from '../config.ts';
import { plain } from '../plain.ts';
import { targetOf, withPrivateRedis } from '../target.ts';
import { wrap } from '../wrap.ts';

const SIGNS: Readonly<Record<Finding['status'], string>> = { ok: 'ok  ', warning: 'WARN', failed: 'FAIL' };

/** Prints the findings; ends in `Exit` when one of them is a failure. */
export async function diagnose(options: { target?: string; json?: boolean }, command: Command): Promise<void> {
  const config = await withPrivateRedis(configOf(command));
  const targets = options.target === undefined ? [...config.targets.values()] : [targetOf(config, options.target)];
  const findings = await examine(config, targets);
  if (options.json) console.log(JSON.stringify(findings));
  else {
    for (const { status, check, target, message, advice } of findings) {
      const found = plain(`${SIGNS[status]}  ${target === null ? 'queue' : target}: ${check}: ${message}`);
      console.log(wrap(found, '      '));
      if (advice !== null) console.log(wrap(`      -> ${advice}`, '         '));
    }
  }
  if (findings.some(({ status }) => status === 'failed')) throw new Exit(1);
}
