/** fish: completion for fish 3 or newer. */
import type { Described, DescribedOption } from './describe.ts';

function quoted(words: string): string {
  return `'${words.replace(/[\\']/g, '\\$&')}'`;
}

function optionLine(start: string, { long, about, value, offers }: DescribedOption): string {
  const offer = offers === 'files' ? ' -r -F' : ` -x${offers.length > 0 ? ` -a ${quoted(offers.join(' '))}` : ''}`;
  return `${start} -l ${long.slice(2)}${value === null ? '' : offer} -d ${quoted(about)}`;
}

export function fishCompletion(program: Described, commands: readonly Described[]): string {
  const start = `complete -c ${program.name}`;
  const first = `${start} -n __fish_use_subcommand`;
  const lines = commands.flatMap((command) => {
    const within = `${start} -n '__fish_seen_subcommand_from ${command.name}'`;
    const shells = command.args.includes('<shell>') ? [`${within} -a 'bash zsh fish'`] : [];
    return [...shells, ...command.options.map((option) => optionLine(within, option))];
  });
  return `# fish completion for ${program.name}
${start} -f
${commands.map(({ name, about }) => `${first} -a ${name} -d ${quoted(about)}`).join('\n')}
${program.options.map((option) => optionLine(first, option)).join('\n')}
${lines.join('\n')}
`;
}
