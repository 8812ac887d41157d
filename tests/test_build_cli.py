"""Whatever goes wrong, the command line says one Chinese sentence and does not exit with 0."""

import re
import shutil

import pytest
from build_project import NAMES, REPOSITORY, make_project

from course_utils.cli import main


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The small project with the shipped profiles, as the working folder."""
    root = make_project(tmp_path / "project")
    shutil.copytree(REPOSITORY / "data" / "banks", root / "data" / "banks")
    for name in ("contract", "reference"):
        shutil.copytree(REPOSITORY / "data" / name, root / "data" / name)
    monkeypatch.setenv("COURSE_HOME", str(root))
    monkeypatch.chdir(root)
    yield root
    monkeypatch.undo()


@pytest.fixture
def run(capsys):
    """Run the command line; return its exit code and what it wrote."""

    def call(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main(list(arguments))
        captured = capsys.readouterr()
        return stopped.value.code, captured.out, captured.err

    return call


def one_sentence(text):
    (line,) = text.strip().split("\n")
    assert line.startswith("错误：")
    assert re.search("请|-h|是不是", line)
    assert "Traceback" not in text
    return line


def test_unknown_bank(project, run):
    code, _, err = run("build", "--bank", "coasta")
    assert code == 1
    assert "coastal" in one_sentence(err)


def test_unknown_lesson(project, run):
    code, _, err = run("lint", "--lesson", "m98_n01_frist")
    assert code == 1
    assert NAMES[0] in one_sentence(err)


def test_a_bank_without_tables(project, run):
    code, _, err = run("build", "--bank", "coastal")
    assert code == 1
    assert "course bank generate --bank coastal" in one_sentence(err)
    assert not (project / "build").exists()


def test_broken_yaml(project, run):
    path = project / "data" / "banks" / "coastal" / "bank.yml"
    path.write_text("name: [甲\nkind: x\n", encoding="utf-8")
    code, _, err = run("build", "--bank", "coastal")
    assert code == 1
    assert "bank.yml" in one_sentence(err)


@pytest.mark.parametrize("persons", ["0", "-5", "10000000"])
def test_impossible_sizes(project, run, persons):
    code, _, err = run("bank", "generate", "--bank", "coastal", "--persons", persons)
    assert code == 1
    assert "1,000" in one_sentence(err)
    assert not (project / "data" / "warehouse").exists()


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["build"], "--bank"),
        (["biuld"], "biuld"),
        (["build", "--bank", "coastal", "--fast"], "--fast"),
        (["bank", "generate", "--bank", "coastal", "--persons", "多"], "--persons"),
    ],
)
def test_wrong_usage(project, run, arguments, hint):
    code, _, err = run(*arguments)
    assert code == 2
    assert hint in one_sentence(err)


def test_outside_a_project(tmp_path, run, monkeypatch):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    try:
        code, _, err = run("notebooks", "--check")
    finally:
        monkeypatch.undo()
    assert code == 1
    assert "syllabus.yml" in one_sentence(err)


def test_debug_shows_the_traceback(project, capsys):
    from course_utils.errors import CourseError

    with pytest.raises(CourseError):
        main(["--debug", "build", "--bank", "coasta"])


def test_notebooks_are_written_and_checked(project, run):
    code, _, err = run("notebooks", "--check")
    assert code == 1 and "缺少生成的文件" in err
    code, out, _ = run("notebooks")
    assert code == 0 and out.count(".ipynb") == len(NAMES)
    code, out, _ = run("notebooks", "--check")
    assert code == 0 and "完全一致" in out


def test_lint_lists_every_fault(project, run):
    code, out, err = run("lint", "--lesson", "m98_n01")
    assert code == 1
    assert "（aims）" in out and "（sections）" in out
    assert "写作规则" in one_sentence(err)


def test_scan_reports_and_fails(project, run):
    folder = project / "out"
    folder.mkdir()
    code, out, _ = run("scan", str(folder))
    assert code == 0 and "没有发现" in out
    (folder / "a.csv").write_text("139" + "12345678", encoding="utf-8")
    code, out, err = run("scan", str(folder))
    assert code == 1 and "手机号" in out
    one_sentence(err)
    code, _, err = run("scan", str(project / "nowhere"))
    assert code == 1
    one_sentence(err)


def test_the_dictionary_of_one_table(project, run):
    code, out, _ = run("dictionary", "loan")
    assert code == 0 and "loan" in out and out.startswith("#")
    code, _, err = run("dictionary", "laon")
    assert code == 1
    one_sentence(err)


def test_the_banks_are_listed(project, run):
    code, out, _ = run("bank", "list")
    assert code == 0
    assert out.count("还没有数据") == 3
