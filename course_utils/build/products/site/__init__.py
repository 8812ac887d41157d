"""The pages of a bank's course: executed lessons and what helps to use them, made by Sphinx."""

from course_utils.build.products.site.write import write_pages

__all__ = ["write_pages"]
