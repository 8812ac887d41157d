"""The kit as a folder, ``build/<bank>/trainee``: everything but the packages of others."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from course_utils.bank import Profile
from course_utils.build.execution.inputs import file_hash
from course_utils.build.execution.run import Build
from course_utils.build.products.data_words import about_data
from course_utils.build.products.kit.contents import (
    lesson_list,
    trainee_data,
    trainee_notebooks,
)
from course_utils.build.products.kit.papers import EXECUTABLE, Facts, papers
from course_utils.build.products.kit.wheel import build_wheel
from course_utils.desk.work import FIRST_PAGE
from course_utils.files import fresh_folder, write_bytes, write_text


def write_kit(build: Build) -> Path:
    """Put the trainee kit together in ``build/<bank>/trainee``.

    Returns
    -------
    pathlib.Path
        The kit. An older kit is replaced as a whole, or stays as it was if this fails.
    """
    folder = build.folder / "trainee"
    with fresh_folder(folder) as aside:
        trainee_notebooks(build, aside / "notebooks")
        write_text(aside / "notebooks" / FIRST_PAGE, lesson_list(build))
        trainee_data(build.profile, aside / "data")
        wheel = build_wheel(build.root, aside / "wheels", edition="trainee")
        pages = build.folder / "pages" / "trainee"
        if pages.is_dir():
            shutil.copytree(pages, aside / "pages")
        for name in ("requirements.lock", "LICENSE"):
            shutil.copyfile(build.root / name, aside / name)
        for name, data in papers(kit_facts(build.profile, aside, wheel)).items():
            write_bytes(aside / name, data)
        for name in EXECUTABLE:
            (aside / name).chmod(0o755)
    return folder


def kit_facts(profile: Profile, folder: Path, wheel: Path) -> Facts:
    """Return what the papers of a kit without packages say.

    Parameters
    ----------
    profile : Profile
        The bank.
    folder : pathlib.Path
        The kit; its data are there.
    wheel : pathlib.Path
        The course's package in it.
    """
    data = sorted(path for path in (folder / "data").rglob("*") if path.is_file())
    listed = [(path.relative_to(folder).as_posix(), file_hash(path)) for path in data]
    return Facts(
        bank=profile.code,
        name=profile.name,
        as_of=f"{profile.as_of:%Y-%m-%d}",
        data_key=hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:10],
        data_bytes=sum(path.stat().st_size for path in data),
        wheel=f"wheels/{wheel.name}",
        about=about_data(profile),
    )
