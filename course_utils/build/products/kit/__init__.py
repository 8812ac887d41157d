"""The trainee kit: notebooks, data sample, package and pages, to be used without a network.

``course build`` writes it as a folder; ``course kit`` adds the packages and makes one archive.
"""

from course_utils.build.products.kit.contents import SCORED, trainee_data, trainee_notebooks
from course_utils.build.products.kit.folder import write_kit
from course_utils.build.products.kit.wheel import build_wheel

__all__ = ["SCORED", "build_wheel", "trainee_data", "trainee_notebooks", "write_kit"]
