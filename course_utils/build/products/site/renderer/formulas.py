"""Formulas as MathML, written when the page is made: no script draws them later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from course_utils.errors import CourseError

if TYPE_CHECKING:
    from docutils.nodes import Element
    from sphinx.writers.html5 import HTML5Translator


def mathml(formula: str, display: str) -> str:
    """Return a LaTeX formula as MathML.

    Parameters
    ----------
    formula : str
        LaTeX without dollar signs.
    display : {"inline", "block"}
        Within a line, or in a line of its own.

    Raises
    ------
    CourseError
        If the formula cannot be read.
    """
    from latex2mathml.converter import convert

    try:
        return convert(formula, display=display)
    except Exception as error:  # the library has many kinds
        raise CourseError(f"公式“{formula}”写法不对，请检查括号和命令。") from error


def visit_inline(translator: HTML5Translator, node: Element) -> None:
    """Write a formula within a line."""
    from docutils.nodes import SkipNode

    translator.body.append(mathml(node.astext(), "inline"))
    raise SkipNode


def visit_block(translator: HTML5Translator, node: Element) -> None:
    """Write a formula in a line of its own."""
    from docutils.nodes import SkipNode

    translator.body.append(f'<div class="formula">{mathml(node.astext(), "block")}</div>')
    raise SkipNode
