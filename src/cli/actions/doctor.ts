/** doctor: says what is wrong with the surroundings, and what to do about it. */
import type { Finding } from '../../health/finding.ts';
import { examine } from '../examine/doctor.ts';
import { Exit } from '../command.ts';
import type { Command } from '../commander.ts';
import { configOf } from '../config.ts';
import { plain } from '../output/plain.ts';
import { targetOf, withPrivateRedis } from '../target.ts';
import { fit } from '../output/wrap.ts';

const SIGNS: Readonly<Record<Finding['status'], string>> = { ok: 'ok  ', warning: 'WARN', failed: 'FAIL' };

const MARGIN = ' '.repeat(6);

/** What is there to be copied stays in one line. */
function lines(sentence: string, first: string, check: string): string {
  return check === 'acl' ? `${first}${sentence}` : fit(`${first}${sentence}`, MARGIN);
}

/** Worst last, since that is what a terminal still shows. */
const SEVERITY: Readonly<Record<Finding['status'], number>> = { ok: 0, warning: 1, failed: 2 };

interface Options {
  readonly target?: string;
  readonly acl?: boolean;
  readonly json?: boolean;
}

/** Prints the findings, the worst last; ends in `Exit` when one of them is a failure. */
export async function diagnose(options: Options, command: Command): Promise<void> {
  const config = await withPrivateRedis(configOf(command));
  const targets = options.target === undefined ? [...config.targets.values()] : [targetOf(config, options.target)];
  const findings = (await examine(config, targets))
    .filter(({ check }) => options.acl === true || check !== 'acl')
    .toSorted((a, b) => SEVERITY[a.status] - SEVERITY[b.status]);
  if (options.json) console.log(JSON.stringify(findings));
  else {
    for (const { status, check, target, message, advice } of findings) {
      const [says, todo] = [
        `${target ?? 'queue'}: ${check}: ${plain(message)}`,
        advice === null ? null : plain(advice),
      ];
      console.log(lines(says, `${SIGNS[status]}  `, check));
      if (todo !== null) console.log(lines(todo, '      -> ', check));
    }
  }
  if (findings.some(({ status }) => status === 'failed')) throw new Exit(1);
}
