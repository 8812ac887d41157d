"""What a trainee gets of a bank: notebooks with its parameters, and its data without the truth.

The kit and the class in the browser hand out exactly this.
"""

from __future__ import annotations

import shutil
from io import StringIO
from pathlib import Path

from course_utils.bank import Profile
from course_utils.bank.parquet import rows_of, sql_text
from course_utils.build.execution.run import Build
from course_utils.build.sources.editions import build_edition, dumps
from course_utils.build.sources.parameters import lesson_parameters
from course_utils.files import write_text
from course_utils.paths import data_dir, warehouse_dir

#: Hidden outcomes: a trainee's checks score on the public half, the instructor on the other.
SCORED, PUBLIC_ROWS = "next_90d_outcome.parquet", "score_half = '公榜'"
#: Parts of a profile that give the planted truth away.
_SECRET_KEYS = ("effects",)


def trainee_notebooks(build: Build, folder: Path) -> list[Path]:
    """Write the trainee edition of every lesson with this bank's parameters filled in.

    Parameters
    ----------
    build : Build
        The bank's build.
    folder : pathlib.Path
        Where the lesson folders go.

    Returns
    -------
    list of pathlib.Path
        The notebooks, in the order of the syllabus.
    """
    paths = []
    for lesson in build.syllabus.lessons:
        master = build.master(lesson)
        parameters = lesson_parameters(build.profile, master)
        paths.append(lesson.path(folder, ".ipynb"))
        write_text(paths[-1], dumps(build_edition(master, "trainee", parameters)))
    return paths


def lesson_list(build: Build) -> str:
    """Return the page that JupyterLab opens with: the lessons by module, with links.

    Parameters
    ----------
    build : Build
        The bank's build.
    """
    lines = [f"# {build.profile.name}：普惠金融数据实战", ""]
    lines += ["点课名打开笔记本，然后自上而下逐格运行（Shift + Enter）。", ""]
    for module in build.syllabus.modules:
        if not module.lessons:
            continue
        lines += [f"## {module.title_zh}", ""]
        for lesson in module.lessons:
            link = f"[{lesson.title_zh}]({lesson.folder}/{lesson.name}.ipynb)"
            lines.append(f"- {lesson.key} {link}（{lesson.level}，{lesson.minutes} 分钟）")
        lines.append("")
    return "\n".join(lines)


def trainee_data(profile: Profile, folder: Path) -> None:
    """Write what a trainee may read of a bank's data; the truth is held back.

    Parameters
    ----------
    profile : Profile
        The bank.
    folder : pathlib.Path
        Becomes a ``data`` folder: contract, reference tables, profile and tables of this bank
        alone. It need not exist.
    """
    for name in ("contract", "reference"):
        ignore = shutil.ignore_patterns("planted_effects*")
        shutil.copytree(data_dir(name), folder / name, ignore=ignore)
    text = (data_dir("banks") / profile.code / "bank.yml").read_text(encoding="utf-8")
    write_text(folder / "banks" / profile.code / "bank.yml", _without_secrets(text))
    tables = folder / "warehouse" / profile.code
    tables.mkdir(parents=True)
    # tables only: what else lies there tells how they were made
    for path in sorted(warehouse_dir(profile.code).glob("*.parquet")):
        if path.name == SCORED:
            _copy_rows(path, tables / path.name, PUBLIC_ROWS)
        else:
            shutil.copyfile(path, tables / path.name)


def _copy_rows(source: Path, target: Path, condition: str) -> None:
    """Copy those rows of a Parquet file that meet a condition of our own."""
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(
            f"COPY (SELECT * FROM {rows_of(source)} WHERE {condition}) "
            f"TO {sql_text(str(target))} (FORMAT parquet, COMPRESSION zstd)"
        )


def _without_secrets(text: str) -> str:
    """Return a profile without the sections that give planted effects away."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.width = 4096
    content = yaml.load(text)
    for key in _SECRET_KEYS:
        content.pop(key, None)
    stream = StringIO()
    yaml.dump(content, stream)
    return stream.getvalue()
