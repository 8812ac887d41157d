"""Warm kernels: each lesson begins in a process as fresh as an ordinary kernel's, whatever the
lesson before it did, and whatever happens to the process that kernels are forked from."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from build_project import REPOSITORY
from jupyter_client.provisioning import KernelProvisionerFactory
from nbformat.v4 import new_code_cell, new_notebook

from course_utils.build.execution import execute as execution
from course_utils.build.execution.environment import kernel_environment
from course_utils.build.execution.execute import Job, execute
from course_utils.build.execution.warm import nursery as nurseries
from course_utils.build.execution.warm import zygote
from course_utils.build.execution.warm.nursery import Nursery

pytestmark = [
    pytest.mark.slow,  # kernels
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]
DEAD = "内核没有启动或意外退出，多半是内存不够。"
PATIENCE = 60


class Counting(Nursery):
    """A nursery that knows how many kernels it has forked."""

    forked = 0

    def spawn(self, *arguments):
        kernel = super().spawn(*arguments)
        self.forked += 1
        return kernel

    @property
    def zygote(self):
        return self._ready.result(PATIENCE)


def notebook(*cells):
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
    return new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata=metadata)


def text(done):
    return "".join(o.get("text", "") for cell in done.notebook.cells for o in cell.outputs)


def state(pid):
    """State of a process as one letter; empty if it is gone. A zombie is gone as well."""
    try:
        letter = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
    return "" if letter in "ZX" else letter


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def written(path):
    """Wait for the numbers that a kernel writes to a file."""
    wait_until(lambda: path.is_file() and path.read_text().endswith("\n"))
    return [int(number) for number in path.read_text().split()]


def tell(path, *expressions):
    """Code by which a kernel writes numbers to a file."""
    numbers = ", ".join(("os.getpid()", *expressions))
    return f"import os; print({numbers}, file=open({str(path)!r}, 'w'), flush=True)"


@pytest.fixture(scope="module")
def environment():
    return kernel_environment(REPOSITORY)


@pytest.fixture(scope="module")
def nursery(environment):
    with Counting(environment) as nursery:
        yield nursery


@pytest.fixture
def warm(nursery, environment, tmp_path):
    """Run cells in a warm kernel."""

    def run(*cells):
        before = nursery.forked
        done = execute(notebook(*cells), {}, Job(environment, nursery), tmp_path)
        assert (nursery.forked, nursery.failure) == (before + 1, "")
        return done

    return run


@pytest.fixture
def bare(environment, tmp_path):
    """An environment whose kernels start quickly: nothing is imported ahead in ordinary ones."""
    return {**environment, "IPYTHONDIR": str(tmp_path / "ipython")}


@pytest.fixture
def works(tmp_path):
    """See that a lesson runs in a kernel of this nursery; return whether it was a warm one."""

    def run(nursery, environment):
        before = nursery.forked
        done = execute(notebook("print('课')"), {}, Job(environment, nursery), tmp_path)
        assert (done.reason, text(done)) == ("", "课\n")
        return nursery.forked > before

    return run


# ---- what a lesson may spoil: how to look at it, how to spoil it --------------------------------
FACTS = {
    "variables": ("sorted({'loan', 'colour'} & set(globals()))", "loan = colour = 1"),
    "modules": ("'this_lesson' in sys.modules", "sys.modules['this_lesson'] = json"),
    "library": ("pandas.DataFrame.head.__qualname__", "pandas.DataFrame.head = print"),
    "rcParams": ("dict(matplotlib.rcParams)", "matplotlib.rcParams['figure.dpi'] = 33"),
    "seaborn": (
        "seaborn.axes_style(), seaborn.plotting_context(), seaborn.color_palette()",
        "seaborn.set_theme(style='dark', palette='husl', context='poster')",
    ),
    "fonts": (
        "len(font_manager.fontManager.ttflist)",
        "font_manager.fontManager.ttflist.append(font_manager.fontManager.ttflist[0])",
    ),
    "backend": ("matplotlib.get_backend()", "matplotlib.use('agg')"),
    "figures": ("matplotlib.pyplot.get_fignums()", "kept_figure = matplotlib.pyplot.figure()"),
    "pandas": (
        "[pandas.get_option('display.' + n) for n in "
        "('width', 'max_rows', 'max_columns', 'precision', 'min_rows', 'max_colwidth')]",
        "pandas.set_option('display.max_rows', 3); pandas.set_option('display.width', 33)",
    ),
    "numpy": (
        "numpy.geterr(), numpy.get_printoptions()",
        "numpy.seterr(all='raise'); numpy.set_printoptions(precision=1)",
    ),
    "scikit-learn": (
        "sklearn.get_config()",
        "sklearn.set_config(transform_output='pandas', display='text')",
    ),
    "warnings": ("sorted(map(str, warnings.filters))", "warnings.simplefilter('ignore')"),
    "shown": (
        "sorted(n for n, m in list(sys.modules.items()) if getattr(m, '__warningregistry__', 0))",
        "exec('import warnings; warnings.warn(\"旧\", UserWarning)', vars(pandas))",
    ),
    "environ": ("os.environ.get('HOME'), os.environ.get('SPOILED')", "os.environ['SPOILED'] = '1'"),
    "folder": ("os.getcwd() == os.path.dirname(os.environ['COURSE_CELL_LOG'])", "os.chdir('/')"),
    "sys.path": ("sys.path", "sys.path.insert(0, '/spoiled')"),
    "sys.argv": ("sys.argv[1], sys.argv[3:]", "sys.argv.append('spoiled')"),
    "sys.flags": (
        "sys.flags, sys.warnoptions, sys.dont_write_bytecode",
        "sys.warnoptions[:] = [1]",
    ),
    "recursion": ("sys.getrecursionlimit()", "sys.setrecursionlimit(5000)"),
    "builtins": ("sorted(vars(builtins))", "builtins.spoiled = 1"),
    "get_ipython": (
        "get_ipython() is builtins.get_ipython() is IPython.get_ipython(), "
        "get_ipython().kernel.shell is get_ipython()",
        "IPython.core.getipython.get_ipython = IPython.get_ipython = lambda: None",
    ),
    "startup": ("sorted(n for n in globals() if 'install' in n or 'course' in n)", "install = 1"),
    "locale": ("locale.setlocale(locale.LC_ALL)", "locale.setlocale(locale.LC_ALL, 'POSIX')"),
    "encodings": (
        "locale.getpreferredencoding(), sys.getfilesystemencoding(), sys.stdout.encoding",
        "locale.getpreferredencoding = lambda: 'gbk'",
    ),
    "time zone": ("time.tzname", "os.environ['TZ'] = 'Asia/Shanghai'; time.tzset()"),
    "umask": ("[os.umask(0o022), os.umask(0o022)]", "os.umask(0o077)"),
    "priority": ("os.nice(0)", "os.nice(1)"),
    "limits": (
        "resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_AS)",
        "resource.setrlimit(resource.RLIMIT_NOFILE, (500, 600))",
    ),
    "signals": (
        "[str(signal.getsignal(n)) for n in sorted(signal.valid_signals())], "
        "signal.pthread_sigmask(signal.SIG_BLOCK, [])",
        "signal.signal(signal.SIGUSR1, signal.SIG_IGN)",
    ),
    "group": ("os.getpid() == os.getpgid(0) == os.getsid(0)", "os.getsid = lambda pid: 1"),
    "collector": ("gc.isenabled(), gc.get_threshold(), gc.get_debug()", "gc.disable()"),
    "hooks": (
        "[str(hook).split(' at ')[0] for hook in (sys.excepthook, sys.displayhook, "
        "sys.unraisablehook, threading.excepthook, sys.gettrace(), sys.getprofile())]",
        "sys.unraisablehook = print",
    ),
    "decimal": ("decimal.getcontext().prec", "decimal.getcontext().prec = 3"),
    "hash": ("hash('普惠')", "hash = lambda thing: 1"),
    "threads": (
        "sorted(type(t).__name__ for t in threading.enumerate())",
        "threading.Thread(target=time.sleep, args=(600,), daemon=True).start()",
    ),
    "open files": (
        "[t for t in map(target, os.listdir('/proc/self/fd')) if t.endswith('spoiled')]",
        "kept_file = open('spoiled', 'w')",
    ),
    "tables read": (
        "sorted(getattr(sys.modules.get('course_utils.bank.warehouse'), 'FILES_READ', ()))",
        "from course_utils.bank import warehouse; warehouse.FILES_READ.add('coastal/loan.parquet')",
    ),
}
PREPARE = """
import builtins, decimal, gc, json, locale, os, resource, signal, sys, threading, time, warnings
import IPython, matplotlib, matplotlib.pyplot, numpy, pandas, seaborn, sklearn
from matplotlib import font_manager
def target(descriptor):
    try:
        return os.readlink('/proc/self/fd/' + descriptor)
    except OSError:
        return ''
facts = {}
"""
TELL = "print(json.dumps(facts))"


def look(name):
    return f"facts[{name!r}] = repr(({FACTS[name][0]}))"


@pytest.fixture(scope="module")
def kernels(nursery, environment, tmp_path_factory):
    """Facts of four kernels: one before and after it spoiled all, the next one, an ordinary one."""

    def facts(warm, *cells):
        folder = tmp_path_factory.mktemp("kernel")
        done = execute(notebook(*cells), {}, Job(environment, warm), folder)
        assert done.reason == ""
        return [json.loads(line) for line in text(done).splitlines() if line[:1] == "{"], done

    looks = [PREPARE, *map(look, FACTS), TELL]
    spoils = [spoil for _, spoil in FACTS.values()]
    (before, after), spoiled = facts(nursery, *looks, *spoils, *looks[1:])
    (following,), clean = facts(nursery, *looks)
    (ordinary,), _ = facts(None, *looks)
    assert (nursery.forked, nursery.failure) == (2, "")
    assert spoiled.tables and not clean.tables
    return before, after, following, ordinary


@pytest.mark.parametrize("name", FACTS)
def test_what_a_lesson_spoils_the_next_one_finds_as_in_an_ordinary_kernel(kernels, name):
    before, after, following, ordinary = (facts[name] for facts in kernels)
    assert after != before, "nothing was spoiled"
    assert following == before
    assert following == ordinary


DIFFERENCES = """
import gc, json, os, sys
print(json.dumps({
    "environ": dict(os.environ),
    "modules": sorted(sys.modules),
    "program": sys.argv[0],
    "frozen": gc.get_freeze_count() > 0,
    "input": os.readlink("/proc/self/fd/0").split(":")[0],
    "parent": os.getppid(),
}))
"""


def test_what_does_differ_from_an_ordinary_kernel(nursery, environment, tmp_path):
    warm, ordinary = (
        json.loads(text(execute(notebook(DIFFERENCES), {}, Job(environment, n), tmp_path)))
        for n in (nursery, None)
    )
    # set by ipykernel for its parent, by debugpy and by threadpoolctl while they are imported
    left_out = {"JPY_PARENT_PID", "PYDEVD_USE_FRAME_EVAL", "KMP_INIT_AT_FORK"}
    left_out |= {"KMP_DUPLICATE_LIB_OK"}
    there = warm["environ"]
    assert set(ordinary["environ"]) - set(there) <= left_out
    assert there == {name: ordinary["environ"].get(name) for name in there}
    # more is imported: completion, SQLite, the debugger; never anything of a lesson
    assert set(ordinary["modules"]) - set(warm["modules"]) <= {"ipykernel_launcher"}
    package = {name for name in warm["modules"] if name.startswith("course_utils")}
    assert package == {name for name in ordinary["modules"] if name.startswith("course_utils")}
    assert warm["program"] == "ipykernel_launcher"  # a path elsewhere
    assert warm["frozen"] and not ordinary["frozen"]  # the collector leaves the libraries alone
    assert (warm["input"], ordinary["input"]) == ("/dev/null", "pipe")
    assert (warm["parent"], ordinary["parent"]) == (nursery.zygote, os.getpid())


def test_a_kernel_has_the_environment_of_its_own_job_and_no_more(nursery, environment, tmp_path):
    own = {**environment, "COURSE_SEAT": "七号"}
    del own["JUPYTER_PLATFORM_DIRS"]
    look = "import os\nprint(os.environ.get('JUPYTER_PLATFORM_DIRS'), os.environ['COURSE_SEAT'])"
    before = nursery.forked
    done = execute(notebook(look), {}, Job(own, nursery), tmp_path)
    assert (text(done), nursery.forked) == ("None 七号\n", before + 1)


# ---- chance and warnings ------------------------------------------------------------------------
DRAW = """
import json, random, uuid
import numpy, sklearn.utils
print(json.dumps([
    numpy.random.rand(), numpy.random.default_rng().random(), random.random(),
    sklearn.utils.check_random_state(None).rand(), str(uuid.uuid4()),
]))
"""


def test_no_two_lessons_draw_the_same_numbers(warm):
    draws = [json.loads(text(warm(DRAW))) for _ in range(3)]
    for same_source in zip(*draws, strict=True):
        assert len(set(same_source)) == 3


def test_a_seed_reaches_no_other_lesson_and_does_what_it_always_does(warm):
    seed = "import numpy, random\nnumpy.random.seed(1)\nrandom.seed(1)"
    seeded = [json.loads(text(warm(seed, DRAW))) for _ in range(2)]
    unseeded = json.loads(text(warm(DRAW)))
    numpy, _, python, sklearn, _ = zip(*seeded, strict=True)
    assert numpy == (0.417022004702574,) * 2 and python == (0.13436424411240122,) * 2
    assert len(set(sklearn)) == 1
    assert not {numpy[0], python[0], sklearn[0]} & set(unseeded)


def test_each_lesson_sees_the_warnings_of_a_library_once(warm):
    complain = "exec('import warnings; warnings.warn(\"旧写法\", UserWarning)', vars(pandas))"
    for _ in range(2):
        done = warm("import pandas", *[complain] * 3)
        assert [line for line in done.warnings if "旧写法" in line] != []
        assert "".join(done.warnings).count("UserWarning") == 1


def test_a_warning_of_the_lesson_itself_is_an_error(warm):
    for _ in range(2):
        assert "旧写法" in warm("import warnings\nwarnings.warn('旧写法')").reason


# ---- descriptors, threads -----------------------------------------------------------------------
def descriptors(pid="self"):
    """What the open descriptors of a process lead to."""
    targets = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            targets.append(str(link.readlink()))
        except OSError:  # the one that reads the folder
            continue
    return targets


def private(targets):
    return {target for target in targets if target.startswith(("pipe:", "socket:"))}


OPEN = """
import json, os, re
targets, watched = [], []
for name in os.listdir('/proc/self/fd'):
    try:
        targets.append(os.readlink('/proc/self/fd/' + name))
        with open('/proc/self/fdinfo/' + name) as stream:
            watched += re.findall(r'tfd:.* ino:([0-9a-f]+)', stream.read())
    except OSError:
        pass
print(json.dumps([targets, [int(inode, 16) for inode in watched]]))
"""


def test_a_kernel_holds_no_descriptor_of_another_process(warm, environment, nursery, tmp_path):
    note, go = tmp_path / "pid", tmp_path / "go"
    wait = f"import time\nwhile not os.path.exists({str(go)!r}):\n    time.sleep(0.02)"
    other = Job(environment, nursery)
    (tmp_path / "other").mkdir()
    with ThreadPoolExecutor(1) as pool:
        cells = notebook(tell(note), wait)
        future = pool.submit(execute, cells, {}, other, tmp_path / "other")
        try:
            (neighbour,) = written(note)
            targets, watched = json.loads(text(warm(OPEN)))
            strangers = {
                "owner": private(descriptors()),
                "zygote": private(descriptors(nursery.zygote)),
                "neighbour": private(descriptors(neighbour)),
            }
        finally:
            go.touch()
        assert future.result().reason == ""
    for name, held in strangers.items():
        assert held and not held & set(targets), name
        inodes = {int(target.partition("[")[2].rstrip("]")) for target in held}
        assert not inodes & set(watched), f"an epoll still watches the {name}"
    files = {target for target in targets if target.startswith("/")}
    assert {path for path in files if not path.startswith("/proc/")} == {"/dev/null"}


def test_the_zygote_has_one_thread_and_no_socket_when_it_is_ready(environment):
    command = Nursery(environment)._command
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=environment, **pipes) as process:
        try:
            assert json.loads(process.stdout.readline()) == {"ready": process.pid, "threads": 1}
            assert len(list(Path(f"/proc/{process.pid}/task").iterdir())) == 1
            kinds = {target.split(":")[0] for target in descriptors(process.pid)}
            assert kinds <= {"pipe", "/dev/null", "anon_inode"}
        finally:
            process.stdin.close()
        assert process.wait(PATIENCE) == 0


def test_a_zygote_with_threads_does_not_fork(monkeypatch):
    def fork():
        raise AssertionError

    answers, write = os.pipe()
    requests, end = os.pipe()
    monkeypatch.setattr(zygote, "count_threads", lambda: 2)
    monkeypatch.setattr(os, "fork", fork)
    zygote.Zygote(requests, write)._handle({"id": 7, "arguments": []})
    assert json.loads(os.read(answers, 1000)) == {"id": 7, "error": "2 threads"}
    for descriptor in (answers, write, requests, end):
        os.close(descriptor)


def test_a_lesson_may_use_threads_processes_and_await(warm):
    done = warm(
        "import asyncio, subprocess, sys, threading\n"
        "from concurrent.futures import ThreadPoolExecutor",
        "with ThreadPoolExecutor(4) as pool:\n    print(sum(pool.map(abs, range(-9, 0))))",
        "thread = threading.Thread(target=print, args=('线',))\nthread.start(); thread.join()",
        "print(await asyncio.gather(*[asyncio.sleep(0, n) for n in range(3)]))",
        "print(subprocess.run(['echo', '程'], capture_output=True, text=True).stdout)",
        "import duckdb\nprint(duckdb.sql('SELECT 42').fetchone())",
        "from sklearn.ensemble import RandomForestClassifier\n"
        "model = RandomForestClassifier(4, n_jobs=2, random_state=0)\n"
        "print(model.fit([[0], [1]], [0, 1]).score([[0], [1]], [0, 1]) > 0)",
    )
    assert (done.reason, done.warnings) == ("", ())
    assert text(done).split() == ["45", "线", "[0,", "1,", "2]", "程", "(42,)", "True"]


# ---- the same outputs ---------------------------------------------------------------------------
LESSON = (
    "import course_utils as cu\nimport matplotlib.pyplot as plt\nimport numpy as np\n"
    "import pandas as pd\nimport seaborn as sns\nimport statsmodels.formula.api as smf",
    "t = pd.DataFrame({'网点': list('甲乙丙丁'), '余额（万元）': [1.5, 2, 3.25, 5]})\n"
    "t['x'] = range(4)\nt",
    "from IPython.display import HTML\nHTML(t.style.format(precision=1).set_uuid('t').to_html())",
    "fig, ax = plt.subplots(figsize=(4, 2))\nax.bar(t['网点'], t['余额（万元）'])\n"
    "cu.charts.finish(fig, title='丁网点余额最高', unit='万元', source='存款账户表')",
    "sns.lineplot(t, x='x', y='余额（万元）').set(ylabel='', xlabel='', title='')",
    "smf.ols('y ~ x', t.rename(columns={'余额（万元）': 'y'})).fit().params.round(3)",
    "print(np.random.default_rng(7).normal(size=3), {*'普惠金融'})",
    "display(pd.concat([t] * 30))",
    "print('到错误流', file=__import__('sys').stderr)",
)


def test_outputs_are_those_of_an_ordinary_kernel(warm, environment, tmp_path):
    forked = warm(*LESSON)
    ordinary = execute(notebook(*LESSON), {}, Job(environment, None), tmp_path)
    assert forked.reason == ordinary.reason == ""
    assert forked.warnings == ordinary.warnings == ("到错误流",)
    assert (forked.modules, forked.tables) == (ordinary.modules, ordinary.tables)
    outputs = [[cell.outputs for cell in done.notebook.cells] for done in (forked, ordinary)]
    kinds = {kind for cell in outputs[0] for o in cell for kind in o.get("data", ())}
    assert {"text/html", "image/png", "text/plain"} <= kinds
    for one, other in zip(*outputs, strict=True):
        assert one == other


def test_eight_lessons_may_begin_at_the_same_moment(nursery, environment, tmp_path):
    def lesson(number):
        folder = tmp_path / str(number)
        folder.mkdir()
        cells = notebook(f"number = {number}", "import os; print(number, os.getpid(), os.getcwd())")
        return execute(cells, {}, Job(environment, nursery), folder)

    before = nursery.forked
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lesson, range(8)))
    said = [text(one).split() for one in done]
    assert [one.reason for one in done] == [""] * 8
    assert [(line[0], line[2]) for line in said] == [(str(n), f"{tmp_path}/{n}") for n in range(8)]
    assert len({line[1] for line in said}) == 8
    assert (nursery.forked, nursery.failure) == (before + 8, "")


# ---- lessons that end badly ---------------------------------------------------------------------
@pytest.mark.parametrize(
    "end",
    [
        "os._exit(3)",
        "os.kill(os.getpid(), 11)",
        "os.kill(os.getpid(), 9)",
    ],
)
def test_a_kernel_that_dies_takes_only_its_lesson_with_it(warm, end):
    assert warm(f"import os\n{end}").reason == DEAD
    assert text(warm("print('下一课')")) == "下一课\n"


def test_a_cell_over_the_time_limit_is_stopped_with_all_it_started(warm, tmp_path, monkeypatch):
    monkeypatch.setattr(execution, "TIMEOUT", 2)
    note = tmp_path / "pids"
    start = "import subprocess, time\nchild = subprocess.Popen(['sleep', '600'])"
    done = warm(start, tell(note, "child.pid"), "time.sleep(600)")
    assert done.reason == "有一格运行超过 2 秒，已停止。"
    kernel, child = written(note)
    wait_until(lambda: not state(kernel) and not state(child))


STUBBORN = "import signal\nfor n in (1, 2, 15):\n    signal.signal(n, signal.SIG_IGN)"


@pytest.mark.parametrize("stuck", ["while True:\n    pass", "os.kill(os.getpid(), signal.SIGSTOP)"])
def test_a_kernel_that_does_not_listen_is_killed_in_the_end(warm, tmp_path, monkeypatch, stuck):
    monkeypatch.setattr(execution, "TIMEOUT", 1)
    note = tmp_path / "pid"
    done = warm(STUBBORN, tell(note), stuck)
    assert done.reason == "有一格运行超过 1 秒，已停止。"
    (kernel,) = written(note)
    wait_until(lambda: not state(kernel))
    assert text(warm("print('下一课')")) == "下一课\n"


@pytest.fixture
def sleeping(tmp_path):
    """Begin a lesson that sleeps, with a child that sleeps; return job, future and both pids."""
    jobs, children = [], []

    def begin(nursery, environment):
        note, folder = tmp_path / "pids", tmp_path / "sleeping"
        folder.mkdir()
        start = "import subprocess, time\nchild = subprocess.Popen(['sleep', '600'])"
        # in one cell: between cells a kernel does not hear an interrupt
        cells = notebook(start, tell(note, "child.pid") + "\ntime.sleep(600)")
        job = Job(environment, nursery)
        jobs.append(job)
        future = pool.submit(execute, cells, {}, job, folder)
        pids = written(note)
        children.append(pids[1])
        return job, future, pids

    with ThreadPoolExecutor(1) as pool:
        try:
            yield begin
        finally:
            for job in jobs:
                job.cancel()
            for child in filter(state, children):  # it outlives a kernel whose zygote is gone
                os.kill(child, signal.SIGKILL)


def test_a_cancelled_lesson_ends_at_once_with_all_it_started(nursery, environment, sleeping, warm):
    job, future, (kernel, child) = sleeping(nursery, environment)
    job.cancel()
    assert future.result(PATIENCE).reason == DEAD and job.cancelled
    wait_until(lambda: not state(kernel) and not state(child))
    assert text(warm("print('下一课')")) == "下一课\n"


def test_a_lesson_cancelled_before_it_began_starts_no_kernel(environment, tmp_path):
    with Counting(environment) as nursery:
        job = Job(environment, nursery)
        job.cancel()
        execute(notebook("open('ran', 'w')"), {}, job, tmp_path)
        assert nursery._process is None and not (tmp_path / "ran").exists()


def test_an_interrupt_reaches_the_cell_and_its_children(nursery, environment, sleeping):
    job, future, (kernel, child) = sleeping(nursery, environment)
    job.client.km.provisioner.process.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in future.result(PATIENCE).reason
    wait_until(lambda: not state(kernel) and not state(child))


def test_children_of_a_lesson_end_with_it(warm):
    start = "import subprocess\nchild = subprocess.Popen(['sleep', '600'])\nprint(child.pid)"
    child = int(text(warm(start)))
    wait_until(lambda: not state(child))


def test_a_signal_reaches_a_kernel_that_has_no_group_yet():
    """Between the fork and ``setsid`` the kernel is still in the zygote's group."""
    with subprocess.Popen(["sleep", "600"]) as process:
        try:
            assert os.getpgid(process.pid) != process.pid
            zygote._send(process.pid, signal.SIGKILL)
            assert process.wait(10) == -signal.SIGKILL
        finally:
            process.kill()
    zygote._send(process.pid, signal.SIGKILL)  # gone: nothing to say


# ---- no zygote: ordinary kernels, and why -------------------------------------------------------
def test_a_zygote_that_dies_costs_the_lesson_that_runs_and_no_other(
    environment, bare, sleeping, works
):
    with Counting(environment) as nursery:
        _, future, (kernel, _) = sleeping(nursery, environment)
        os.kill(nursery.zygote, signal.SIGKILL)
        assert future.result(PATIENCE).reason == DEAD
        wait_until(lambda: not state(kernel))
        assert nursery.failure == "预热进程意外退出"
        assert not works(nursery, bare)


ERROR = """
import json
print('{"ready": 1, "threads": 2}', flush=True)
print(json.dumps({"id": json.loads(input())["id"], "error": "2 threads"}), flush=True)
input()
"""


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["/no/such/program"], "预热进程启动不了（No such file or directory）"),
        (["true"], "预热进程意外退出"),
        (["cat"], "预热用了 1 秒还没有完成"),
        ([sys.executable, "-c", ERROR], "预热进程不能再复制（2 threads）"),
    ],
    ids=["not there", "ends at once", "says nothing", "refuses"],
)
def test_without_a_zygote_kernels_are_ordinary_and_it_is_said(
    bare, works, monkeypatch, command, reason
):
    if command == ["cat"]:
        monkeypatch.setattr(nurseries, "READY_WITHIN", 1.0)
    with Counting(bare, command) as nursery:
        nursery.start()
        assert not works(nursery, bare)
        assert nursery.failure == reason
        assert not works(nursery, bare)  # and it does not wait again


def test_another_import_time_variable_gets_an_ordinary_kernel(nursery, bare, works):
    for name in ("PYTHONPATH", "MPLBACKEND", "PYTHONHASHSEED", "OMP_NUM_THREADS"):
        assert name in nurseries.IMPORT_TIME_VARIABLES
    assert not works(nursery, {**bare, "PYTHONHASHSEED": "1"})
    assert nursery.failure == ""
    assert works(nursery, bare)


def test_a_provisioner_that_is_not_registered_is_said(bare, works, monkeypatch):
    monkeypatch.setattr(
        KernelProvisionerFactory, "is_provisioner_available", lambda self, spec: False
    )
    with Counting(bare) as nursery:
        assert not works(nursery, bare)
        assert nursery.failure == "课程程序包要重新安装一次（make env）"


def test_a_system_without_fork_has_ordinary_kernels(bare, works, monkeypatch):
    monkeypatch.delattr(os, "fork")
    with Counting(bare) as nursery:
        nursery.start()
        assert not works(nursery, bare)
        assert nursery.failure == "这个系统不能复制进程" and nursery._process is None


# ---- the end ------------------------------------------------------------------------------------
def test_closing_leaves_no_process_and_only_ordinary_kernels(environment, bare, sleeping, works):
    with Counting(environment) as nursery:
        _, future, pids = sleeping(nursery, environment)
        pids.append(nursery.zygote)
        assert all(map(state, pids))
        nursery.close()
        wait_until(lambda: not any(map(state, pids)))
        assert future.result(PATIENCE).reason == DEAD
        assert nursery.failure == "已经关闭"
        assert not works(nursery, bare)


OWNER = """
import os, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_warm_kernels import *
environment = kernel_environment(REPOSITORY)
nursery = Counting(environment)
def note():
    Path({folder!r}, "zygote").write_text(f"{{nursery.zygote}}\\n")
nursery.start()
threading.Thread(target=note).start()
start = "import subprocess, time; child = subprocess.Popen(['sleep', '600'])"
cells = notebook(start, tell(Path({folder!r}, "kernel"), "child.pid"), "time.sleep(600)")
execute(cells, {{}}, Job(environment, nursery), Path({folder!r}))
"""


def test_an_owner_that_is_killed_leaves_no_process(tmp_path):
    script = OWNER.format(tests=str(REPOSITORY / "tests"), folder=str(tmp_path))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-c", script], **quiet) as owner:
        try:
            pids = written(tmp_path / "zygote") + written(tmp_path / "kernel")
            assert len(pids) == 3 and all(map(state, pids))
        finally:
            owner.kill()
    wait_until(lambda: not any(map(state, pids)))


def test_threads_of_the_owner_do_not_outlive_the_nursery(bare):
    before = set(threading.enumerate())
    with Counting(bare, ["cat"]) as nursery:
        nursery.start()
        (listener,) = set(threading.enumerate()) - before
    listener.join(PATIENCE)
    assert not listener.is_alive()
