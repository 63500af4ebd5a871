/** bash: completion for bash 4 or newer. */
import type { Described, DescribedOption } from './describe.ts';

function quoted(words: readonly string[]): string {
  return `'${words.join(' ')}'`;
}

/** Flags that take a value, with what is offered as one. */
function valueCases(options: readonly DescribedOption[]): string[] {
  const seen = new Map(options.filter(({ value }) => value !== null).map((option) => [option.long, option]));
  return [...seen.values()].map(({ long, offers }) => {
    const offer = offers === 'files' ? 'compgen -f -- "$cur"' : `compgen -W ${quoted(offers)} -- "$cur"`;
    return `    ${long}) mapfile -t COMPREPLY < <(${offer}); return ;;`;
  });
}

export function bashCompletion(program: Described, commands: readonly Described[]): string {
  const flagsOf = ({ options }: Described) => options.map(({ long }) => long);
  return `# bash completion for ${program.name}
_${program.name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} command='' words i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ \${COMP_WORDS[i]} == -* ]] || { command=\${COMP_WORDS[i]}; break; }
  done
  case \${COMP_WORDS[COMP_CWORD-1]} in
${valueCases(commands.flatMap(({ options }) => options)).join('\n')}
  esac
  case $command in
    '') words=${quoted([...commands.map(({ name }) => name), ...flagsOf(program)])} ;;
${commands.map((command) => `    ${command.name}) words=${quoted([...offersOf(command), ...flagsOf(command)])} ;;`).join('\n')}
    *) return ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _${program.name} ${program.name}
`;
}

/** What may stand as a command's own argument, where that is known: shells. */
function offersOf({ args }: Described): readonly string[] {
  return args.includes('<shell>') ? ['bash', 'zsh', 'fish'] : [];
}
