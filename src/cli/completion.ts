import { Argument, type Command } from 'commander';

/** `tarl completion`: a script for the user's shell, derived from the commands there are. */
export function completion(program: Command): void {
  program.command('completion')
    .description('Print a script that completes tarl in your shell.')
    .addArgument(new Argument('<shell>').choices(Object.keys(scripts)))
    .addHelpText('after', '\nExample:\n  $ source <(tarl completion bash)\n')
    .action((shell: string) => console.log(scripts[shell]!(wordsByPath(program))));
}

/** What may follow each sequence of command words: subcommands and options. */
type WordsByPath = ReadonlyMap<string, readonly string[]>;

const scripts: Record<string, (words: WordsByPath) => string> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

function wordsByPath(program: Command): WordsByPath {
  const inherited = longOptions(program);
  const words = new Map<string, string[]>();
  const visit = (command: Command, path: string): void => {
    const options = new Set([...longOptions(command), ...inherited, '--help']);
    const choices = command.registeredArguments.flatMap((argument) => argument.argChoices ?? []);
    words.set(path, [...command.commands.map((sub) => sub.name()), ...choices, ...options]);
    for (const sub of command.commands) visit(sub, `${path} ${sub.name()}`.trim());
  };
  visit(program, '');
  return words;
}

function longOptions(command: Command): string[] {
  return command.options.flatMap(({ long }) => long ?? []);
}

/** Follows the words as long as they name commands; values and options in between are passed over. What may come next is then in `next`. */
function follow(words: WordsByPath, given: string): string {
  const known = [...words.keys()].filter(Boolean).map((path) => `"${path}"`).join('|');
  const cases = [...words].map(([path, next]) => `    "${path}") next="${next.join(' ')}" ;;`).join('\n');
  // Not `path`, which is that of the programs in zsh.
  return `  local at= word next=
  for word in ${given}; do
    case "\${at:+$at }$word" in
      ${known}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at" in
${cases}
  esac`;
}

function bashScript(words: WordsByPath): string {
  return `_tarl() {
${follow(words, '"${COMP_WORDS[@]:1:COMP_CWORD-1}"')}
  COMPREPLY=($(compgen -W "$next" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _tarl tarl`;
}

function zshScript(words: WordsByPath): string {
  return `_tarl() {
${follow(words, '"${(@)words[2,CURRENT-1]}"')}
  compadd -- \${=next}
}
whence compdef > /dev/null || { autoload -Uz compinit && compinit }
compdef _tarl tarl`;
}

function fishScript(words: WordsByPath): string {
  const lines = [...words].map(([path, next]) => {
    const seen = path.split(' ').filter(Boolean).map((word) => `__fish_seen_subcommand_from ${word}`);
    const condition = seen.length > 0 ? seen.join('; and ') : '__fish_use_subcommand';
    return `complete -c tarl -f -n '${condition}' -a '${next.join(' ')}'`;
  });
  return lines.join('\n');
}
