/**
 * The scripts that `daxrepro completion SHELL` prints. They call the hidden command `complete` of the
 * program that is being completed. Its first output line says whether the shell adds paths: `none`,
 * `files` or `directories`. Each further line is a value, a tab and a description. The scripts never
 * expand or run what is typed.
 */

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

// bash splits words at : and =, so the script passes the whole line and removes the part before the
// last of them from each suggestion.
const BASH = `# bash completion of daxrepro: source it, or put it into
# ~/.local/share/bash-completion/completions/daxrepro
_daxrepro() {
    local line=\${COMP_LINE:0:COMP_POINT} paths value description word begun
    word=\${line##*[[:space:]]}
    begun=
    [[ $COMP_WORDBREAKS == *:* && $word == *:* ]] && begun=\${word%"\${word##*:}"}
    [[ $word == *=* && \${word##*=} != *:* ]] && begun=\${word%"\${word##*=}"}
    COMPREPLY=()
    {
        read -r paths || return 0
        while IFS=$'\\t' read -r value description; do
            COMPREPLY+=("\${value#"$begun"}")
        done
    } < <("\${COMP_WORDS[0]}" complete --line "$line" 2>/dev/null)
    [[ \${#COMPREPLY[@]} -ne 1 || \${COMPREPLY[0]} != *[/:=] ]] || compopt -o nospace
    word=\${word#"$begun"}
    case $paths in
        files) if [[ \${#COMPREPLY[@]} -eq 0 ]]; then compopt -o default; fi ;;
        directories)
            compopt -o filenames
            while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -d -- "$word")
            ;;
    esac
}
complete -F _daxrepro daxrepro
`;

const ZSH = `#compdef daxrepro
# zsh completion of daxrepro: put it into a directory of $fpath as _daxrepro, or
# source <(daxrepro completion zsh) after compinit
_daxrepro() {
    local -a lines values
    local line paths value
    lines=("\${(@f)$("\${(Q)words[1]}" complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    paths=$lines[1]
    for line in "\${(@)lines[2,-1]}"; do
        value=\${line%%$'\\t'*}
        values+=("\${value//:/\\\\:}:\${line#*$'\\t'}")
    done
    local -a ending
    [[ \${#values} -eq 1 && $value == *[/:=] ]] && ending=(-S '')
    (( \${#values} )) && _describe -V daxrepro values "\${(@)ending}"
    case $paths in
        files) compset -P '*='; _files ;;
        directories) compset -P '*='; _files -/ ;;
    esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _daxrepro "$@"
else
    compdef _daxrepro daxrepro
fi
`;

const FISH = `# fish completion of daxrepro: put it into ~/.config/fish/completions/daxrepro.fish
function __daxrepro_complete
    set -l typed (commandline -opc)
    set -l word (commandline -ct)
    set -l lines ($typed[1] complete -- $typed[2..-1] $word 2>/dev/null)
    for line in $lines[2..-1]
        echo $line
    end
    switch "$lines[1]"
        case files
            __fish_complete_path $word
        case directories
            __fish_complete_directories $word
    end
end
complete -c daxrepro -f -a '(__daxrepro_complete)'
`;

export const SCRIPTS: Record<Shell, string> = { bash: BASH, zsh: ZSH, fish: FISH };
