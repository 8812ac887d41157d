"""Packs the data that the package reads (contract, reference, bank profiles) into the wheel."""

import os
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
#: Builds that share a project (workers of a cluster) have a folder each.
SCRATCH = os.environ.get("COURSE_SCRATCH", ".cache/wheel")


class BuildWithData(build_py):
    """Copies ``data/<name>`` to ``course_utils/_data/<name>`` of the wheel."""

    def run(self):
        """Copy packages as usual, then the data."""
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)  # nothing of an older build stays
        super().run()
        if self.editable_mode:
            return
        for name in ("contract", "reference", "banks"):
            target = Path(self.build_lib) / "course_utils" / "_data" / name
            shutil.copytree(ROOT / "data" / name, target, ignore=_real_banks, dirs_exist_ok=True)


def _real_banks(folder, names):
    """Leave out banks that have a mapping: who they are and whom to ask stays in their project."""
    return [name for name in names if (Path(folder) / name / "mapping.yml").is_file()]


# everything that setuptools writes on the way goes to the cache: an old course_utils.egg-info in
# the project's folder would hide the installed package's entry points
Path(SCRATCH).mkdir(parents=True, exist_ok=True)
setup(
    cmdclass={"build_py": BuildWithData},
    options={
        "build": {"build_base": SCRATCH},
        "bdist_wheel": {"bdist_dir": f"{SCRATCH}/dist"},
        "egg_info": {"egg_base": SCRATCH},
    },
)
