"""Equations as MathML, which browsers draw themselves: no program, no font and nothing from the network."""

from __future__ import annotations

from docutils.nodes import Element, SkipNode, math, math_block
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def visit_math(translator: HTML5Translator, node: math) -> None:
    """Write an equation within a line."""
    translator.body.append(tex2mathml(node.astext()))
    raise SkipNode


def visit_math_block(translator: HTML5Translator, node: math_block) -> None:
    """Write an equation of its own; a narrow screen scrolls it."""
    translator.body.append(f'<div class="equation">{tex2mathml(node.astext(), as_block=True)}</div>\n')
    raise SkipNode


def nothing(translator: HTML5Translator, node: Element) -> None:
    """End of an equation, which its beginning has written already."""


def setup(application: Sphinx) -> dict[str, bool]:
    """What Sphinx calls to take up the renderer."""
    application.add_html_math_renderer("mathml", (visit_math, nothing), (visit_math_block, nothing))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
