"""The cluster without a cluster: report, sentences, manifests, and the calculation in the docs."""

import importlib.util
import json
import sys

import pytest
from build_project import REPOSITORY, make_project
from click.testing import CliRunner
from ruamel.yaml import YAML

from course_utils import cli
from course_utils.build.cluster.connection import Connection
from course_utils.build.cluster.identity import differences, own_identity
from course_utils.build.cluster.orders import Finding, Outcome
from course_utils.build.cluster.report import BankReport, FleetReport, write_report
from course_utils.build.execution.records import Record
from course_utils.files import sweep, write_text

KUBERNETES = REPOSITORY / "deploy" / "kubernetes"


@pytest.fixture
def report():
    good = BankReport("alpha", "银行甲", complete=True, began=1.0, ended=31.0)
    good.records = [
        Record("m01_n01_a", "instructor", "ok", seconds=4, cpu_seconds=2, peak_mb=300, worker="w1"),
        Record("m01_n01_a", "trainee", "unchanged", seconds=9, cpu_seconds=9, peak_mb=900),
    ]
    good.tries = {"alpha/m01_n01_a/instructor": 2, "alpha/prepare": 1}
    bad = BankReport("beta", "银行乙", complete=True, leaks=["手机号：trainee/a.csv 138******12"])
    bad.records = [Record("m01_n01_a", "trainee", "failed", reason="缺少“贷款”<表>。", worker="w2")]
    lost = BankReport("gamma", "银行丙", problem="没有数据。")
    return FleetReport([good, bad, lost], seconds=40.0, interrupted=False, notes=["一句话"])


def test_the_report_counts_what_ran_in_this_build(report):
    content = report.as_dict()
    alpha, beta, gamma = content["banks"]
    assert (alpha["ok"], alpha["failed"], alpha["unchanged"], alpha["retried"]) == (1, 0, 1, 1)
    assert (alpha["seconds"], alpha["run_seconds"], alpha["cpu_seconds"]) == (30.0, 4, 2)
    assert alpha["peak_mb"] == 300 and alpha["workers"] == ["w1"]
    assert beta["failures"] == [
        {"lesson": "m01_n01_a", "edition": "trainee", "reason": "缺少“贷款”<表>。"}
    ]
    assert [row["state"] for row in content["banks"]] == ["完成", "有失败的课", "没有做成"]
    assert gamma["problem"] == "没有数据。"
    assert content["totals"]["workers"] == ["w1", "w2"] and content["totals"]["leaks"] == 1


def test_the_report_is_a_page_and_a_sentence(report, tmp_path):
    page = write_report(tmp_path, report).read_text(encoding="utf-8")
    for text in (
        "3 家银行，1 家全部做好",
        "银行甲",
        "学员版）：缺少“贷款”&lt;表&gt;。",
        "138******12",
    ):
        assert text in page
    assert "<script" not in page and "http" not in page.replace("http-equiv", "")
    assert json.loads((tmp_path / "build/banks.json").read_text(encoding="utf-8"))
    assert "3 家银行中有 2 家没有全部做好（银行乙、银行丙）" in report.fault
    assert "没有做完" not in page
    report.interrupted = True
    assert "没有做完就停下了" in write_report(tmp_path, report).read_text(encoding="utf-8")


def test_all_well_is_no_fault():
    assert FleetReport([BankReport("a", "甲", complete=True)]).fault == ""


def run(*arguments):
    return CliRunner().invoke(cli.main, ["build-all", *arguments])


@pytest.mark.parametrize(
    "address", ["10.0.0.5:8786", "http://10.0.0.5:8786", "tcp://10.0.0.5", "tcp://:8786", ""]
)
def test_a_bad_address_is_one_sentence(address):
    result = run("--bank", "coastal", "--scheduler", address)
    assert result.exit_code == 1 and "写得不对" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--bank", "coastel"), "是不是想写“coastal”"),
        (("--lesson", "m88_n01"), "没有“m88_n01”这一课"),
        (("--syllabus", "data-9day"), "data-2day"),
    ],
)
def test_what_does_not_exist_is_said_before_anything_starts(arguments, text):
    result = run(*arguments)
    assert result.exit_code == 1 and text in result.stderr


def test_workers_of_this_machine_and_a_scheduler_exclude_each_other():
    result = run("--jobs", "2", "--scheduler", "tcp://10.0.0.5:8786")
    assert result.exit_code == 2 and "--jobs" in result.stderr


def test_without_dask_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = run("--bank", "coastal")
    assert result.exit_code == 1 and "course-utils[cluster]" in result.stderr


def test_machines_are_compared_part_by_part():
    ours = dict(own_identity(REPOSITORY))
    assert differences(ours, ours) == []
    theirs = {**ours, "Python": "3.9", "requirements.lock": ""}
    assert differences(ours, theirs) == ["Python", "requirements.lock"]


def test_a_worker_that_writes_to_a_copy_is_noticed(tmp_path):
    connection = Connection(tmp_path, "tcp://127.0.0.1:1")
    finding = connection._judge("tcp://a", Finding("w1", probe="token.w1"))
    assert finding.fault == "elsewhere"
    write_text(tmp_path / "build/.cluster/token.w1", "")
    assert connection._judge("tcp://a", Finding("w1", probe="token.w1")) is None
    assert not list((tmp_path / "build/.cluster").iterdir())


def test_killed_writers_leave_nothing_after_a_sweep(tmp_path):
    kept = [tmp_path / ".records" / "a.instructor.json", tmp_path / "a" / "b.ipynb"]
    gone = [tmp_path / "a" / ".b.ipynb.host-12-34.part", tmp_path / ".pages.host-1-2.old" / "x"]
    for path in kept + gone:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    sweep(tmp_path)
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in gone) and not gone[1].parent.exists()


def test_a_lost_order_is_a_failed_record(tmp_path):
    from course_utils.build.cluster.fleet import lesson_record
    from course_utils.build.execution.task import Task
    from course_utils.build.sources.syllabus import load_syllabus

    root = make_project(tmp_path)
    lesson = load_syllabus(root / "lessons" / "syllabus.yml").lessons[0]
    task = Task("alpha", lesson, "trainee", source="x", notebook="", parameters={})
    record = lesson_record(root, task, Outcome(fault="工作机退出了。", worker="w1"))
    assert record.failed and record.reason == "工作机退出了。"
    assert (root / "build/alpha/.records" / f"{lesson.name}.trainee.json").is_file()


# ---- Kubernetes -----------------------------------------------------------------------------


def manifests():
    names = YAML(typ="safe").load((KUBERNETES / "kustomization.yaml").read_text())["resources"]
    for name in names:
        yield from YAML(typ="safe").load_all((KUBERNETES / name).read_text())


def test_the_manifests_fit_together():
    objects = list(manifests())
    found = {(item["kind"], item["metadata"]["name"]): item for item in objects}
    assert len(found) == len(objects)
    service = found["Service", "course-scheduler"]["spec"]
    pods = {
        item["metadata"]["name"]: item["spec"]["template"]
        for item in objects
        if item["kind"] in ("Deployment", "Job")
    }
    assert set(pods) == {"course-scheduler", "course-workers", "course-build-all"}
    scheduler = pods["course-scheduler"]["metadata"]["labels"]
    assert service["selector"].items() <= scheduler.items()
    address = f"tcp://course-scheduler:{service['ports'][0]['port']}"
    for name in ("course-workers", "course-build-all"):
        (container,) = pods[name]["spec"]["containers"]
        assert address in container["command"]
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert mounts["project"] == "/course"
        (claim,) = [v for v in pods[name]["spec"]["volumes"] if v["name"] == "project"]
        volume = claim["persistentVolumeClaim"]["claimName"]
        assert found["PersistentVolumeClaim", volume]["spec"]["accessModes"] == ["ReadWriteMany"]
    policy = found["NetworkPolicy", "course"]["spec"]["podSelector"]["matchLabels"]
    for pod in pods.values():
        assert policy.items() <= pod["metadata"]["labels"].items()
        assert pod["spec"]["securityContext"]["runAsNonRoot"]
    for item in objects:
        if item["kind"] == "Deployment":
            labels = item["spec"]["template"]["metadata"]["labels"]
            assert item["spec"]["selector"]["matchLabels"] == labels


def test_the_job_is_a_command_that_exists():
    (job,) = [item for item in manifests() if item["kind"] == "Job"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    python, flag, module, command, option, _ = container["command"]
    assert (python, flag, module) == ("python", "-m", "course_utils.cli")
    assert option in [o for p in cli.main.commands[command].params for o in p.opts]


def test_the_image_takes_libraries_from_the_lock():
    text = (REPOSITORY / "deploy" / "Dockerfile").read_text()
    assert "--require-hashes -r requirements-dev.lock" in text
    for line in text.splitlines():
        if line.startswith("COPY"):
            assert all((REPOSITORY / name).exists() for name in line.split()[1:-1])


# ---- the paper calculation ------------------------------------------------------------------


@pytest.fixture(scope="module")
def cost():
    spec = importlib.util.spec_from_file_location("cost", REPOSITORY / "docs" / "cluster_cost.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_in_step_with_the_figures(cost):
    figures = json.loads(cost.FIGURES.read_text(encoding="utf-8"))
    text = cost.PAGE.read_text(encoding="utf-8")
    assert cost.page_with(text, figures) == text
    assert text.count(cost.BEGIN) == text.count(cost.END) == 1


def test_the_calculation_by_hand(cost):
    figures = json.loads(cost.FIGURES.read_text(encoding="utf-8"))
    figures |= {"run_seconds": 3.0, "prepare_seconds": 10.0, "finish_seconds": 25.0, "lessons": 25}
    figures |= {"start_seconds": 5.0, "longest_run_seconds": 15.0, "order_seconds": 0.01}
    assert cost.per_bank(figures) == 10 + 140 * 3 + 70
    assert cost.wall_seconds(figures, 10) == 5 + 100 * 500 / 10 + 15 + 70
    # more workers than the client can feed
    assert cost.wall_seconds(figures, 10_000) == 5 + 100 * 142 * 0.01 + 15 + 70
