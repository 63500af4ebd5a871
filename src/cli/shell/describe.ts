/** describe: the command line as data, read from the program that parses it: for completion, the manual and the reference, which then
 * can't say anything else than it does. */
import { RUN_OUTCOMES } from '../../ledger/runs/pastRun.ts';
import { SHIPPED_SCHEMAS } from '../../schema/shipped.ts';
import type { Command } from '../commander.ts';

export interface Described {
  readonly name: string;
  readonly about: string;
  /** As in a usage line: `<names...>`, `[run]`. */
  readonly args: readonly string[];
  readonly options: readonly DescribedOption[];
}

export interface DescribedOption {
  /** `--stale-after` */
  readonly long: string;
  /** `-V`, where it has one. */
  readonly short: string | undefined;
  /** What its value is called; `null` for none. */
  readonly value: string | null;
  readonly about: string;
  /** What is offered as its value; `files` for names of files; empty where nobody can tell. */
  readonly offers: readonly string[] | 'files';
}

/** Values that are known before any file was read. */
const OFFERS: Readonly<Record<string, readonly string[] | 'files'>> = {
  '--config': 'files',
  '--schema': Object.keys(SHIPPED_SCHEMAS),
  '--log-level': ['debug', 'info', 'warn', 'error'],
  '--mode': ['sweep', 'observe'],
  '--outcome': RUN_OUTCOMES,
};

function optionsOf(command: Command): DescribedOption[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map((option) => {
      const { long = '', short, flags, description, argChoices } = option;
      const [, value = null] = /[<[]([^>\]]+)[>\]]/.exec(flags) ?? [];
      return { long, short, value, about: description, offers: argChoices ?? OFFERS[long] ?? [] };
    });
}

/** The program itself. */
export function describeProgram(program: Command): Described {
  return { name: program.name(), about: program.description(), args: [], options: optionsOf(program) };
}

/** Its commands, in the order of its help. */
export function describeCommands(program: Command): Described[] {
  return program.commands.map((command) => ({
    name: command.name(),
    about: command.description(),
    args: command.registeredArguments.map((one) => {
      const name = `${one.name()}${one.variadic ? '...' : ''}`;
      return one.required ? `<${name}>` : `[${name}]`;
    }),
    options: optionsOf(command),
  }));
}
