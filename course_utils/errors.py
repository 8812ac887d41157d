"""The one kind of error that people are meant to read."""


class CourseError(Exception):
    """Carries one Chinese sentence: what is wrong, where, and what to do.

    Command-line tools print the sentence without a traceback; notebooks show it as it is.
    """
