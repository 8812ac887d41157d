"""Lessons on a bank that has only some of the data: a step that lacks its data is left out.

`statements` says what a statement sets, changes and uses; `gate` runs the statements of a notebook
and knows which of them could not run and why; the build finds out the same from the text of a
lesson, without running it.
"""
