// The same algorithm for three shells: follow the words into subcommands, skip the values of options, and offer what
// can follow.
import type { OptionWord, Place } from './completion-places.ts';
import type { Values } from './completion-values.ts';

/** `list`: the command that prints values, one a line; their kind follows it. */
export function bashScript(places: readonly Place[], list: string): string {
  return `# bash completion for tandem. Use it with: source <(npx tandem completion bash)
_tandem() {
  local cur=\${COMP_WORDS[COMP_CWORD]} place=tandem wants= words= file= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    # bash cuts --name=value at the sign.
    if [[ \${COMP_WORDS[i]} == = ]]; then continue; fi
    if [[ $wants ]]; then wants=; continue; fi
    case "$place:\${COMP_WORDS[i]}" in
${caseBranches(places, {
  value: (name) => `wants=${name}`,
  enter: (path) => `place='${path}'`,
})}
    esac
  done
  if [[ $cur == = ]]; then cur=; fi
  case "$place:$wants" in
${places.flatMap((place) => bashValues(place, list)).join('\n')}
    *:-*) ;;
${places.map((place) => bashPlace(place, list)).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [[ $file && $cur != -* ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t -O \${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$cur")
  fi
}
complete -F _tandem tandem
`;
}

function bashValues({ path, options }: Place, list: string): string[] {
  return choosing(options).map(({ names, choices, values }) => {
    const patterns = names.map((name) => `'${path}:${name}'`).join(' | ');
    return `    ${patterns}) words=${bashWords(choices.join(' '), values, list)} ;;`;
  });
}

function bashWords(words: string, values: Values | undefined, list: string): string {
  return values === undefined ? `'${words}'` : `$(${list} ${values} 2>/dev/null)`;
}

/** There are many options, so they are offered only after a "-", or if there is nothing else to offer. */
function bashPlace({ path, commands, choices, values, options, takesFile }: Place, list: string): string {
  const plain = [...commands.map(({ name }) => name), ...choices].join(' ');
  const dashed = options.flatMap(({ names }) => names).join(' ');
  const file = takesFile ? ' file=1' : '';
  if (values !== undefined) {
    const named = bashWords('', values, list);
    return `    '${path}:') if [[ $cur == -* ]]; then words='${dashed}'; else words=${named}; fi ;;`;
  }
  if (plain === '' && !takesFile) return `    '${path}:') words='${dashed}' ;;`;
  return `    '${path}:')${file} words='${plain}'; [[ $cur == -* ]] && words='${dashed}' ;;`;
}

export function zshScript(places: readonly Place[], list: string): string {
  return `#compdef tandem
# zsh completion for tandem. Use it with: source <(npx tandem completion zsh)
_tandem() {
  local place=tandem wants= word
  local -a values commands options
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n $wants ]]; then wants=; continue; fi
    case "$place:$word" in
${caseBranches(places, {
  value: (name) => `wants=${name}`,
  enter: (path) => `place='${path}'`,
})}
    esac
  done
  case "$place:$wants" in
${places.flatMap((place) => zshValues(place, list)).join('\n')}
    *:-*) ;;
${places.map((place) => zshPlace(place, list)).join('\n')}
  esac
}
if [[ $funcstack[1] == _tandem ]]; then _tandem "$@"; else compdef _tandem tandem; fi
`;
}

function zshValues({ path, options }: Place, list: string): string[] {
  return choosing(options).map(({ names, choices, values }) => {
    const patterns = names.map((name) => `'${path}:${name}'`).join('|');
    return `    ${patterns}) ${zshWords(choices, values, list)} ;;`;
  });
}

function zshWords(choices: readonly string[], values: Values | undefined, list: string): string {
  const words = values === undefined ? choices.join(' ') : `\${(f)"$(${list} ${values} 2>/dev/null)"}`;
  return `values=(${words}); _describe value values`;
}

function zshPlace({ path, commands, choices, values, options, takesFile }: Place, list: string): string {
  const described = commands.map(({ name, about }) => quoted(`${name}:${about}`));
  const dashed = options.flatMap(({ names, about }) => names.map((name) => quoted(`${name}:${about}`)));
  return [
    `    '${path}:')`,
    `      options=(${dashed.join(' ')})`,
    '      if [[ $words[CURRENT] == -* ]]; then _describe option options; return; fi',
    ...(described.length > 0 ? [`      commands=(${described.join(' ')}); _describe command commands`] : []),
    ...(choices.length > 0 || values !== undefined ? [`      ${zshWords(choices, values, list)}`] : []),
    ...(takesFile ? ['      _files'] : []),
    '      ;;',
  ].join('\n');
}

export function fishScript(places: readonly Place[], list: string): string {
  return `# fish completion for tandem. Keep it as ~/.config/fish/completions/tandem.fish
function __tandem_place
    set -l place tandem
    set -l wants ''
    set -l typed (commandline -opc)
    for word in $typed[2..-1]
        if test -n "$wants"
            set wants ''
            continue
        end
        switch "$place:$word"
${fishBranches(places)}
        end
    end
    test "$place" = "$argv[1]"
end
complete -c tandem -f
${places.flatMap((place) => fishPlace(place, list)).join('\n')}
`;
}

function fishPlace({ path, commands, choices, values, options, takesFile }: Place, list: string): string[] {
  const here = `complete -c tandem -n ${quoted(`__tandem_place '${path}'`, 'fish')}`;
  return [
    ...commands.map(({ name, about }) => `${here} -a ${name} -d ${quoted(about, 'fish')}`),
    ...(choices.length > 0 || values !== undefined ? [`${here} -a ${fishWords(choices, values, list)}`] : []),
    ...(takesFile ? [`${here} -F`] : []),
    ...options.map((option) => {
      const names = option.names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
      const isChosen = option.choices.length > 0 || option.values !== undefined;
      const value = isChosen
        ? ` -x -a ${fishWords(option.choices, option.values, list)}`
        : option.takesValue
          ? ' -r'
          : '';
      return `${here} ${names.join(' ')}${value} -d ${quoted(option.about, 'fish')}`;
    }),
  ];
}

function fishWords(choices: readonly string[], values: Values | undefined, list: string): string {
  return quoted(values === undefined ? choices.join(' ') : `(${list} ${values} 2>/dev/null)`, 'fish');
}

function fishBranches(places: readonly Place[]): string {
  return branches(places)
    .map(({ patterns, enters }) => {
      const cases = patterns.map((pattern) => `'${pattern}'`).join(' ');
      return `            case ${cases}\n                ${enters ? `set place '${enters}'` : 'set wants 1'}`;
    })
    .join('\n');
}

function caseBranches(
  places: readonly Place[],
  say: { value: (name: string) => string; enter: (path: string) => string },
): string {
  return branches(places)
    .map(({ patterns, enters }) => {
      const cases = patterns.map((pattern) => `'${pattern}'`).join(' | ');
      return `      ${cases}) ${enters ? say.enter(enters) : say.value(patterns.at(-1)!.split(':')[1]!)} ;;`;
    })
    .join('\n');
}

/** Words that change what may follow: options with a value, and subcommands. */
function branches(places: readonly Place[]): { patterns: string[]; enters: string | undefined }[] {
  return places.flatMap(({ path, options, commands }) => [
    ...options
      .filter(({ takesValue }) => takesValue)
      .map(({ names }) => ({ patterns: names.map((name) => `${path}:${name}`), enters: undefined })),
    ...commands.map(({ name }) => ({ patterns: [`${path}:${name}`], enters: `${path} ${name}` })),
  ]);
}

function choosing(options: readonly OptionWord[]): OptionWord[] {
  return options.filter(({ choices, values }) => choices.length > 0 || values !== undefined);
}

/** In single quotes, for zsh by default, or for fish. */
function quoted(text: string, shell: 'zsh' | 'fish' = 'zsh'): string {
  if (shell === 'fish') return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}
