"""Completion of the command line in bash, zsh and fish, by scripts that contain the effects and their parameters.

The scripts do not call the command at every key, because Python with SciPy takes a second to start.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .._effects_chain.definitions import Effect, Parameter

SHELLS = ("bash", "zsh", "fish")


# Prints the words that may follow, for bash and zsh; the arguments are the beginning of a word and the words before it.
_CANDIDATES = """_audiostyle_candidates() {
    local effects="@EFFECTS@"
    local current=$1 previous= effect= setting= count=0 word
    shift
    for word in "$@"; do
        case $previous in
            @VALUED@) ;;
            *) case $setting$word in set*=*) continue ;; esac
               setting=
               case $word in -n|-|[!-]*) count=$((count + 1)) ;; esac
               [ $count -gt 2 ] && case " $effects " in *" $word "*) effect=$word ;; esac ;;
        esac
        [ "$word" = --set ] && setting=set
        previous=$word
    done
    case $previous in
@OPTION_CHOICES@
        @VALUED@) return ;;
        help) [ $count -eq 1 ] && echo "presets formats $effects"; return ;;
        @FILES@) [ "$effect" = "$previous" ] && return ;;
    esac
    case $current in
@OPTION_VALUES@
        -*) echo "@OPTIONS@"; return ;;
    esac
    if [ -n "$setting" ]; then effect=style; fi
    [ $count -ge 2 ] || [ -n "$setting" ] || return
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
    read -ra words <<< "${COMP_LINE:0:COMP_POINT}."  # COMP_WORDS would split at =
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
        test "$word" = --set; and set effect style
    end
    echo $effect
end
@FISH_OPTIONS@
complete -c audiostyle -n 'test (count (commandline -opc)) -ge 3' -a "@EFFECTS@"
complete -c audiostyle -n 'test (commandline -opc)[-1] = help' -f -a "presets formats @EFFECTS@"
@NAMES@
"""


def completion_script(
    shell: str,
    effects: Mapping[str, Effect],
    options: Mapping[str, bool],
    option_choices: Mapping[str, Sequence[str]],
) -> str:
    """Return the completion script of a shell.

    Parameters
    ----------
    shell : str
        One of `SHELLS`.
    effects : mapping of str to Effect
    options : mapping of str to bool
        Whether the option takes a value, by its name.
    option_choices : mapping of str to sequence of str
        The values of options that can be listed; the shell completes files for the others.
    """
    names = {effect.name: " ".join(f"{name}=" for name in effect.parameters) for effect in effects.values()}
    choices = _choices(effects)
    if shell == "fish":
        template, rows = _FISH, _fish_rows(names, choices)
    else:
        template = _CANDIDATES + (_BASH if shell == "bash" else _ZSH)
        rows = [f'        "{name} "*) echo "{words} $effects" ;;' for name, words in names.items()]
    replacements = {
        "NAMES": "\n".join(rows),
        "CHOICES": "\n".join(
            f'        "{effect} {name}="*) echo "{words}" ;;' for (effect, name), words in choices.items()
        ),
        "OPTION_CHOICES": "\n".join(
            f'        {option}) echo "{" ".join(words)}"; return ;;' for option, words in option_choices.items()
        ),
        "OPTION_VALUES": "\n".join(
            f'        {option}=*) echo "{" ".join(f"{option}={word}" for word in words)}"; return ;;'
            for option, words in option_choices.items()
        ),
        "OPTIONS": " ".join(options),
        "VALUED": "|".join(option for option, takes_value in options.items() if takes_value),
        "FISH_OPTIONS": "\n".join(
            _fish_option(option, takes_value, option_choices.get(option, ())) for option, takes_value in options.items()
        ),
        "FILES": "|".join(effect.name for effect in effects.values() if effect.takes_file),
        "EFFECTS": " ".join(effects),
    }
    for placeholder, text in replacements.items():
        template = template.replace(f"@{placeholder}@", text)
    return template


def _choices(effects: Mapping[str, Effect]) -> dict[tuple[str, str], str]:
    """Return the words ``name=value`` of each parameter with values that have names, by effect and parameter."""
    return {
        (effect.name, parameter.name): " ".join(f"{parameter.name}={value}" for value in named)
        for effect in effects.values()
        for parameter in effect.parameters.values()
        if (named := _named_values(parameter))
    }


def _named_values(parameter: Parameter) -> Sequence[str]:
    """Return the values that can be listed; for a parameter that also takes numbers, the named ones."""
    return parameter.choices or re.findall(r'"([^"]+)"', parameter.allowed)


def _fish_rows(names: Mapping[str, str], choices: Mapping[tuple[str, str], str]) -> list[str]:
    """Return the lines for fish that offer words after an effect."""
    offers = [*names.items(), *((effect, words) for (effect, _), words in choices.items())]
    condition = 'test "$(__audiostyle_effect)" = '
    return [f"complete -c audiostyle -n '{condition}{effect}' -a \"{words}\"" for effect, words in offers if words]


def _fish_option(option: str, takes_value: bool, choices: Sequence[str]) -> str:
    """Return the line for fish that offers an option, with its values where they can be listed."""
    kind = "-l" if option.startswith("--") else "-s"
    values = f' -x -a "{" ".join(choices)}"' if choices else " -r" * takes_value
    return f"complete -c audiostyle {kind} {option.lstrip('-')}{values}"
