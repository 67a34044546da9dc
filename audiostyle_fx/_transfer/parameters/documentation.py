"""Signatures and docstrings of the functions that take a transfer's parameters, made from the list of parameters."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

from .descriptions import ParameterDescription
from .parameter_list import Parameters

Function = TypeVar("Function", bound=Callable[..., Any])

STYLE = (
    "The recording whose sound is taken, of any length, sample rate and number of channels. A style with the content's "
    "number of channels is matched channel by channel; otherwise its mono mix serves every channel. The target of "
    "several styles is the weighted mean of their Gram matrices."
)
"""Text of the style, wherever it is documented."""

SHARED: dict[str, tuple[str, str]] = {
    "style": (
        "path, array, or list of these",
        f"{STYLE} Lists of numbers, as JSON holds an array, are taken as that array.",
    ),
    "style_sample_rate": (
        "float or sequence of float, optional",
        "Sample rate in Hz of styles given as arrays, one for all or one each; the content's by default. A file has "
        "its own.",
    ),
    "style_weights": (
        "sequence of float, optional",
        "One positive weight for each style, equal ones by default; only their ratios count.",
    ),
    "progress": (
        "bool or callable, optional",
        "True for a bar with the time left, or a function that is called with every ProgressEvent: on the CPU after "
        "each iteration, on a GPU after every tenth. By default, a bar appears after a second in a notebook or an "
        "interactive shell, and never elsewhere.",
    ),
}
"""Type and text of the arguments other than parameters that several functions take."""


def documented(options: type, defaults: Parameters) -> Callable[[Function], Function]:
    """Return a decorator that completes the signature and the docstring of a function or class.

    Parameters
    ----------
    options : type
        The typed dictionary of the parameters that the function takes as ``**parameters``.
    defaults : Parameters
        The values that the signature and the docstring show.

    Notes
    -----
    In the docstring, a line ``{name}`` stands for a shared argument, and ``{parameters}`` for all parameters.
    """
    types = get_type_hints(options)
    described = [description for description in Parameters.described() if description.name in types]

    def complete(function: Function) -> Function:
        called: Any = function.__init__ if isinstance(function, type) else function  # type: ignore[misc]
        signature = inspect.signature(called)
        named = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        keywords = [
            inspect.Parameter(
                description.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=getattr(defaults, description.name),
                annotation=types[description.name],
            )
            for description in described
        ]
        called.__signature__ = signature.replace(parameters=[*named, *keywords])
        called.__annotations__.pop("parameters")  # a name that only type checkers resolve
        called.__annotations__.update(types)
        if function.__doc__:  # python -OO has none
            entries = {name: _entry(name, *text) for name, text in SHARED.items()}
            entries["parameters"] = "\n".join(_parameter_entry(description, defaults) for description in described)
            function.__doc__ = fill_in(inspect.cleandoc(function.__doc__), entries)
        return function

    return complete


def fill_in(doc: str, entries: dict[str, str]) -> str:
    """Replace the lines ``{name}`` of a docstring."""
    for name, entry in entries.items():
        doc = doc.replace(f"{{{name}}}", entry)
    return doc


def _parameter_entry(description: ParameterDescription, defaults: Parameters) -> str:
    default = getattr(defaults, description.name)
    notes = [f"Unit: {description.unit}." * bool(description.unit), f"Allowed: {description.allowed}."]
    text = " ".join([description.sentence, *(note for note in notes if note and description.allowed)])
    return _entry(description.name, f"{description.type}, default {default!r}", text)


def _entry(name: str, type_text: str, text: str) -> str:
    """Return an entry of a docstring's list of parameters."""
    return f"{name} : {type_text}\n" + textwrap.indent(textwrap.fill(text, 112, break_on_hyphens=False), "    ")
