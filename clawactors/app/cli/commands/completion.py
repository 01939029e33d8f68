"""`claw completion SHELL`: a script that completes commands, options, ids and names in bash, zsh or fish."""

import argparse
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from clawactors.app.cli.catalogue import COMMANDS
from clawactors.app.cli.parsing import Parser

__all__ = ["run"]


class _Option(NamedTuple):
    names: list[str]
    help: str


def run(options: Any) -> int:
    """Prints the script."""
    print("\n".join(_SCRIPTS[options.shell]()))
    return 0


def _options_of(name: str) -> list[_Option]:
    parser = Parser(f"claw {name}", "")
    COMMANDS[name].declare(parser)
    return [
        _Option(list(action.option_strings), (action.help or "").replace("%%", "%"))
        for action in parser._actions
        if action.option_strings and action.help != argparse.SUPPRESS
    ]


def _flat(name: str) -> str:
    return " ".join(option for each in _options_of(name) for option in each.names)


def _bash() -> Iterator[str]:
    yield "# bash completion for claw"
    yield "_claw() {"
    yield '    local current=${COMP_WORDS[COMP_CWORD]} command="" word options'
    yield '    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do'
    yield f'        case " {" ".join(COMMANDS)} " in *" $word "*) command=$word; break;; esac'
    yield "    done"
    yield '    case "$command" in'
    yield f'        "") options="{" ".join(COMMANDS)} --help --version --data --nats --context --json --debug";;'
    for name in COMMANDS:
        yield f'        {name}) options="{_flat(name)}";;'
    yield "    esac"
    yield "    if [[ -z $command || $current == -* ]]; then"
    yield '        COMPREPLY=($(compgen -W "$options" -- "$current"))'
    yield "        return"
    yield "    fi"
    yield "    COMPREPLY=()"
    yield '    while IFS= read -r word; do COMPREPLY+=("$word"); done < <('
    yield '        "${1/#\\~/$HOME}" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null'
    yield "    )"
    yield "}"
    yield "complete -o default -F _claw claw"


def _zsh() -> Iterator[str]:
    yield "#compdef claw"
    yield "local command word"
    yield "local -a commands options found"
    yield "commands=("
    yield from (f"    {_quoted(f'{name}:{command.summary}')}" for name, command in COMMANDS.items())
    yield ")"
    yield 'for word in "${words[@]:1:$((CURRENT - 2))}"; do'
    yield "    if (( ${commands[(I)${word}:*]} )); then command=$word; break; fi"
    yield "done"
    yield 'case "$command" in'
    yield '    "") _describe command commands; return;;'
    for name in COMMANDS:
        yield f"    {name}) options=({_flat(name)});;"
    yield "esac"
    yield 'if [[ "${words[CURRENT]}" == -* && "${words[CURRENT]}" != *=* ]]; then'
    yield '    compadd -- "${options[@]}"'
    yield "    return"
    yield "fi"
    yield 'found=(${(f)"$(${~words[1]} __complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)"})'
    yield "if (( ${#found} )); then compadd -a found; else _files; fi"


def _fish() -> Iterator[str]:
    yield "# fish completion for claw"
    yield "function __claw_has_candidates"
    yield "    set -l words (commandline -opc) (commandline -ct)"
    yield "    test (count $words) -gt 2; or return 1"
    yield "    set -l program (string replace -r '^~' $HOME -- $words[1])"
    yield "    set -g __claw_candidates ($program __complete -- $words[2..-1] 2>/dev/null)"
    yield "    test (count $__claw_candidates) -gt 0"
    yield "end"
    yield "complete -c claw -n __claw_has_candidates -f -a '$__claw_candidates'"
    for name, command in COMMANDS.items():
        yield f"complete -c claw -n __fish_use_subcommand -f -a {name} -d {_quoted(command.summary)}"
        for option in _options_of(name):
            forms = " ".join(f"-l {each[2:]}" if each.startswith("--") else f"-s {each[1:]}" for each in option.names)
            seen = f"'__fish_seen_subcommand_from {name}'"
            yield f"complete -c claw -n {seen} {forms} -d {_quoted(option.help)}"


def _quoted(text: str) -> str:
    escaped = text.replace("'", "'\\''")
    return f"'{escaped}'"


_SCRIPTS: Final = {"bash": _bash, "zsh": _zsh, "fish": _fish}
