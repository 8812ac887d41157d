"""The board of the bank's head: one page made from what the lessons showed on the bank's tables."""

from course_utils.build.products.board.write import board_lessons, write_board

__all__ = ["board_lessons", "write_board"]
