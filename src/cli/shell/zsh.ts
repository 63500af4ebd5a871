/** zsh: completion for zsh 5 or newer. */
import type { Described, DescribedOption } from './describe.ts';

/** In single quotes, within the brackets and between the colons of `_arguments`. */
function text(words: string): string {
  return words.replace(/[[\]:\\]/g, '\\$&').replaceAll("'", "'\\''");
}

function afterName({ value, offers }: DescribedOption): string {
  if (value === null) return '';
  if (offers === 'files') return `:${text(value)}:_files`;
  return `:${text(value)}:${offers.length > 0 ? `(${offers.join(' ')})` : ' '}`;
}

function optionSpec(option: DescribedOption): string {
  return `'${option.long}[${text(option.about)}]${afterName(option)}'`;
}

function argumentSpecs({ args }: Described): string[] {
  return args.map((arg) => {
    const offers = arg === '<shell>' ? '(bash zsh fish)' : ' ';
    return `'${arg.includes('...') ? '*' : '1'}:${text(arg.replace(/[<>[\].]/g, ''))}:${offers}'`;
  });
}

function caseOf(command: Described): string {
  const specs = [...command.options.map(optionSpec), ...argumentSpecs(command)];
  return `        ${command.name}) _arguments \\\n          ${specs.join(' \\\n          ')} ;;`;
}

export function zshCompletion(program: Described, commands: readonly Described[]): string {
  const described = commands.map(({ name, about }) => `    '${name}:${text(about)}'`);
  return `#compdef ${program.name}
_${program.name}() {
  local state
  local -a commands=(
${described.join('\n')}
  )
  _arguments -C \\
    ${program.options.map(optionSpec).join(' \\\n    ')} \\
    '1: :->command' '*:: :->rest'
  case $state in
    command) _describe command commands ;;
    rest)
      case $words[1] in
${commands.map(caseOf).join('\n')}
      esac ;;
  esac
}
if [[ $funcstack[1] == _${program.name} ]]; then _${program.name} "$@"; else compdef _${program.name} ${program.name}; fi
`;
}
