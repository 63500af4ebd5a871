/** manual: the manual page `stalesweep(1)`, from the program, the settings and the exit codes. `man/stalesweep.1` is kept in step by a
 * test, which writes it with `UPDATE_README=1`. */
import { ALL_SETTINGS } from '../../config/settings/settings.ts';
import type { Described, DescribedOption } from './describe.ts';

/** What roff would take for its own: a backslash, a hyphen that is to be copied, a dot or an apostrophe at the start of a line. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(['.])/gm, '\\&$1')
    .replace(/[^\0-\x7f]/gu, (letter) => `\\[u${letter.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`);
}

function bold(text: string): string {
  return `\\fB${roff(text)}\\fR`;
}
function italic(text: string): string {
  return `\\fI${roff(text)}\\fR`;
}
function plainly(text: string): string {
  return text.replaceAll('`', '');
}

function optionOf({ short, long, value, about }: DescribedOption): string {
  const names = [short, long].flatMap((name) => (name === undefined ? [] : [bold(name)])).join(', ');
  return `.TP\n${names}${value === null ? '' : ` ${italic(value)}`}\n${roff(plainly(about))}`;
}

function commandOf({ name, args, about, options }: Described): string {
  const head = [bold(name), ...args.map((arg) => italic(arg))].join(' ');
  return `.SS ${head}\n${roff(plainly(about))}\n${options.map(optionOf).join('\n')}`;
}

function variables(): string {
  return Object.values(ALL_SETTINGS)
    .flatMap(({ env, about, default: fallback }) => {
      if (env === undefined) return [];
      const otherwise =
        fallback === undefined
          ? ''
          : ` Default: ${typeof fallback === 'string' ? fallback : JSON.stringify(fallback)}.`;
      return [`.TP\n${bold(env)}\n${roff(plainly(`${about}${otherwise}`))}`];
    })
    .concat(`.TP\n${bold('NO_COLOR')}\n${roff('When it is set and not empty, nothing is coloured.')}`)
    .join('\n');
}

/** @param version as it stands at the foot of each page */
export function manualPage(program: Described, commands: readonly Described[], version: string): string {
  return `.\\" Generated from the program: change src/cli, then run UPDATE_README=1 npx vitest run test/docs.
.TH STALESWEEP 1 "" "stalesweep ${version}" "User Commands"
.SH NAME
stalesweep \\- remove what stale coordinators left in Redis, and nothing else
.SH SYNOPSIS
${bold('stalesweep')} ${italic('command')} [${italic('options')}]
.SH DESCRIPTION
${roff(program.about)} The Redis that is cleaned is named by ${bold('REDIS_URL')}, or in a file (${bold('--config')}).
.SH COMMANDS
${commands.map(commandOf).join('\n')}
.SH ENVIRONMENT
Flags go over variables, variables over the file, the file over defaults.
${variables()}
.SH EXIT STATUS
.TP
.B 0
done
.TP
.B 1
Redis could not be reached, or the run failed or was refused
.TP
.B 2
wrong usage or configuration
.SH EXAMPLES
.EX
export REDIS_URL=redis://main:6379
stalesweep doctor
stalesweep run \\-\\-dry\\-run
stalesweep start
.EE
`;
}
