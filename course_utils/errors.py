"""The one kind of error that people are meant to read."""


class CourseError(Exception):
    """Carries one Chinese sentence: what is wrong, where, and what to do.

    Command-line tools print the sentence without a traceback; notebooks show it as it is.
    """


class MissingDataError(CourseError):
    """A bank lacks a table or a column that somebody asked for.

    Parameters
    ----------
    sentence : str
        For people.
    names : tuple of str
        Contract names of what is missing: ``"loan"``, ``"loan.five_class"``.
    """

    def __init__(self, sentence: str, names: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.names = names


class TooFewRowsError(CourseError):
    """A chart or a calculation got a table with too few rows, or none at all."""
