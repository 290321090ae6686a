"""Does a parsed script make sense: is every name bound, every result there, every value safe where it goes?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from llmos_nb.cortex.scripted.passage import Passage, Quote
from llmos_nb.cortex.scripted.problem import ScriptProblem
from llmos_nb.cortex.scripted.script import Script, Turn, passages_of

__all__ = ["check_script"]

#: The filter that makes any text safe in these arguments.
_SAFE_FILTER: Final[dict[str, str]] = {"code": "quoted", "command": "shell"}
#: Types and filters whose values hold no quote, space or other sign that could break out of a string or a word.
_SAFE_TYPES: Final = frozenset({"word", "int", "number"})
_SAFE_FILTERS: Final = frozenset({"int", "number"})


def check_script(script: Script) -> None:
    """Find what the parts alone do not show.

    Raises:
        ScriptProblem: a name no template binds, a result no turn can have given, or a value
            that could break out of code.
    """
    plain = _check_turns(script, script.turns)
    guided = _check_turns(script, script.guided)
    _check_recoveries(script)
    _check_text(script, script.answer, plain)
    if script.guided_answer is not None:
        if not script.guided:
            raise ScriptProblem("'## Guided answer' without '## Guided'", _line(script.guided_answer))
        _check_text(script, script.guided_answer, guided)
    elif script.guided:
        _check_text(script, script.answer, guided)
    if script.answer_after_error is not None:
        if not any(turn.calls for turn in script.recoveries.values()):
            raise ScriptProblem(
                "'## Answer after error' without an '## On error' that calls a tool", _line(script.answer_after_error)
            )
        _check_text(script, script.answer_after_error, None, error=True)


def _line(passage: Passage) -> int:
    return next((quote.line for quote in passage.quotes), 0)


def _check_turns(script: Script, turns: Iterable[Turn]) -> int:
    """Check the turns; returns how many calls they make."""
    calls = 0
    for turn in turns:
        _check_turn(script, turn, calls)
        calls += len(turn.calls)
    return calls


def _check_recoveries(script: Script) -> None:
    for number, turn in script.recoveries.items():
        turns = script.guided if number < 0 else script.turns
        if abs(number) > len(turns) or (number == 0 and not script.turns):
            raise ScriptProblem("there is no such turn that could fail", turn.line)
        _check_turn(script, turn, None, error=True)


def _check_turn(script: Script, turn: Turn, results: int | None, *, error: bool = False) -> None:
    _check_text(script, turn.narration, results, error=error)
    for call in turn.calls:
        for name, argument in call.arguments.items():
            for passage in passages_of(argument):
                _check_text(script, passage, results, error=error)
                if name in _SAFE_FILTER:
                    for quote in passage.quotes:
                        _check_safe(script, quote, _SAFE_FILTER[name])


def _check_text(script: Script, passage: Passage, results: int | None, *, error: bool = False) -> None:
    """``results`` is how many results there are by then, None where that depends on the run."""
    for quote in passage.quotes:
        if quote.name == "result":
            if results is not None and (quote.number or 1) > results:
                raise ScriptProblem(f"{{{{{quote.source}}}}}: only {results} results come before it", quote.line)
        elif quote.name == "memory":
            continue
        elif quote.name == "error":
            if not error:
                raise ScriptProblem("{{error}} is for '## On error' and '## Answer after error'", quote.line)
        else:
            for template in script.templates:
                if quote.name not in template.types:
                    raise ScriptProblem(
                        f"{{{{{quote.source}}}}} is not bound by the goal {template.text!r}", quote.line
                    )


def _check_safe(script: Script, quote: Quote, wanted: str) -> None:
    if quote.filters:
        safe = quote.filters[-1] in {wanted, *_SAFE_FILTERS}
    else:
        safe = all(template.types.get(quote.name) in _SAFE_TYPES for template in script.templates)
    if not safe:
        raise ScriptProblem(
            f"{{{{{quote.source}}}}} could break out of the code; end it with |{wanted}, |int or |number", quote.line
        )
