"""Completion of the command's words in bash, zsh and fish, as scripts that hold the effects and their parameters.

A shell does not ask the command at every key, since it takes Python a second to start with SciPy in it.
"""

from __future__ import annotations

from collections.abc import Mapping

from .._effects_chain.definitions import Effect

SHELLS = ("bash", "zsh", "fish")


# What may follow, in words that both bash and zsh understand: the beginning of a word first, then the words before it.
_CANDIDATES = """_audiostyle_candidates() {
    local effects="@EFFECTS@"
    local current=$1 previous= effect= count=0 word
    shift
    for word in "$@"; do
        case $previous in
            @VALUED@) ;;
            *) case $word in -n|-|[!-]*) count=$((count + 1)) ;; esac
               [ $count -gt 2 ] && case " $effects " in *" $word "*) effect=$word ;; esac ;;
        esac
        previous=$word
    done
    case $previous in
        --completion) echo "@SHELLS@"; return ;;
        @VALUED@) return ;;
        help) [ $count -eq 1 ] && echo "$effects"; return ;;
        @FILES@) [ "$effect" = "$previous" ] && return ;;
    esac
    case $current in -*) echo "@OPTIONS@"; return ;; esac
    [ $count -ge 2 ] || return
    case "$effect $current" in
@CHOICES@
        *=*) ;;
@NAMES@
        *) echo "$effects" ;;
    esac
}
"""


_BASH = """_audiostyle() {
    local words=() current
    read -ra words <<< "${COMP_LINE:0:COMP_POINT}."  # bash's own words end at =
    current=${words[${#words[@]}-1]%.}
    words=("${words[@]:1:${#words[@]}-2}")
    COMPREPLY=($(compgen -W "$(_audiostyle_candidates "$current" "${words[@]}")" -- "$current"))
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
    if [[ $current == *=* && $COMP_WORDBREAKS == *=* ]]; then COMPREPLY=("${COMPREPLY[@]#*=}"); fi
}
complete -o default -F _audiostyle audiostyle
"""


_ZSH = """_audiostyle() {
    local -a candidates names others
    candidates=(${=$(_audiostyle_candidates "$PREFIX" "${(@)words[2,CURRENT-1]}")})
    names=(${(M)candidates:#*=}) others=(${candidates:#*=})
    local found=1
    compadd -S '' -a names && found=0
    compadd -a others && found=0
    [[ $found == 0 ]] || _files
}
compdef _audiostyle audiostyle
"""


_FISH = """function __audiostyle_effect
    set -l effect
    for word in (commandline -opc)[4..]
        contains -- $word @EFFECTS@; and set effect $word
    end
    echo $effect
end
@FISH_OPTIONS@
complete -c audiostyle -l completion -x -a "@SHELLS@"
complete -c audiostyle -n 'test (count (commandline -opc)) -ge 3' -a "@EFFECTS@"
complete -c audiostyle -n 'test (commandline -opc)[-1] = help' -f -a "@EFFECTS@"
@NAMES@
"""


def completion_script(shell: str, effects: Mapping[str, Effect], options: Mapping[str, bool]) -> str:
    """The script for one of `SHELLS`; of each option it is to be known whether a value follows."""
    choices = {
        (effect.name, one.name): " ".join(f"{one.name}={choice}" for choice in one.choices)
        for effect in effects.values()
        for one in effect.parameters.values()
        if one.choices
    }
    names = {effect.name: " ".join(f"{name}=" for name in effect.parameters) for effect in effects.values()}
    if shell == "fish":
        text, rows = (
            _FISH,
            [
                f'complete -c audiostyle -n \'test "$(__audiostyle_effect)" = {name}\' -a "{words}"'
                for name, words in [*names.items(), *((effect, words) for (effect, _), words in choices.items())]
                if words
            ],
        )
    else:
        text = _CANDIDATES + (_BASH if shell == "bash" else _ZSH)
        rows = [f'        "{name} "*) echo "{words} $effects" ;;' for name, words in names.items()]
    fill = {
        "NAMES": "\n".join(rows),
        "CHOICES": "\n".join(f'        "{" ".join(key)}="*) echo "{words}" ;;' for key, words in choices.items()),
        "OPTIONS": " ".join(options),
        "VALUED": "|".join(option for option, valued in options.items() if valued),
        "FISH_OPTIONS": "\n".join(
            f"complete -c audiostyle {'-l' if option.startswith('--') else '-s'} {option.lstrip('-')}{' -r' * valued}"
            for option, valued in options.items()
        ),
        "SHELLS": " ".join(SHELLS),
        "FILES": "|".join(effect.name for effect in effects.values() if effect.takes_file),
        "EFFECTS": " ".join(effects),
    }
    for name, words in fill.items():
        text = text.replace(f"@{name}@", words)
    return text
