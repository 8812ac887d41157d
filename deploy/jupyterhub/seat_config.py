"""JupyterLab of one seat. Runs as the seat's own system user; reads only its environment.

Gives out the notebooks and never overwrites one: a notebook that is missing (not yet given out,
renamed or deleted by the trainee) is given out anew. Renaming is how a trainee gets a fresh copy.
"""

from __future__ import annotations

import errno
import os
import resource
import shutil
from pathlib import Path
from typing import Any

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from tornado import web

HOME = Path(os.environ["HOME"])
KIT = Path(os.environ["COURSE_HOME"])
IDLE_SECONDS = int(os.environ["COURSE_IDLE_SECONDS"])
WORK = HOME / "课程"
NOTE = WORK / "先看这里.md"
FULL = (
    "服务器的磁盘已满，这次没有保存成功。你写的内容还在浏览器里：不要关这个页面，"
    "请告诉讲师，腾出空间后再保存一次。"
)
TEXT = """# 先看这里

- 打开左边的文件夹，从编号小的笔记本开始，自上而下逐格运行（Shift + Enter）。
- 笔记本每两分钟自动保存一次，也可以按 Ctrl + S。合上电脑、断网、换一台电脑都不要紧：
  用同一个座位号和自设口令再登录，就回到原来的地方。
- **想要新的一份**：在左边把笔记本改个名字（例如在前面加“我的”），几秒钟后会出现新的一份；
  你改过的那份一直都在。
- 长时间（午休以外）不用，程序会停下来，文件都在；再登录后从头运行一遍即可。
- 生成的 Excel 在笔记本旁边的“成果”文件夹里，右键“下载”可以带走。
"""


def give_out() -> None:
    """Copy the notebooks that are not there; what is there stays as it is."""
    for source in sorted((KIT / "notebooks").rglob("*.ipynb")):
        target = WORK / source.relative_to(KIT / "notebooks")
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f".{target.name}.part")
        shutil.copyfile(source, aside)
        aside.replace(target)
    if not NOTE.exists():
        NOTE.write_text(TEXT, encoding="utf-8")


def disk_is_full(error: BaseException | None) -> bool:
    """Return whether a full disk or quota is behind an error."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False


class CourseContents(AsyncLargeFileManager):
    """The seat's files; notebooks that are missing come back, a full disk is said in Chinese."""

    async def get(
        self, path: str, content: bool = True, type: str | None = None, **rest: Any
    ) -> Any:
        """Return a file or a folder, as always; a folder is completed before it is listed."""
        if content and type in (None, "directory"):
            try:
                give_out()
            except OSError as error:
                self.log.warning("notebooks not given out: %s", error)
        return await super().get(path, content=content, type=type, **rest)

    async def save(self, model: dict[str, Any], path: str = "") -> Any:
        """Save, as always; say what to do if the disk is full."""
        try:
            return await super().save(model, path)
        except Exception as error:
            if disk_is_full(error):
                raise web.HTTPError(507, FULL, reason="Insufficient Storage") from error
            raise


# the class server limits memory before this runs; on Kubernetes the limit comes by this variable: a
# greedy cell gets an error that says so before the pod is killed
if memory := os.environ.get("COURSE_MEMORY_MIB"):
    resource.setrlimit(resource.RLIMIT_DATA, (int(memory) * 2**20,) * 2)
Path(os.environ["JUPYTER_RUNTIME_DIR"]).mkdir(exist_ok=True)
WORK.mkdir(exist_ok=True)
try:
    give_out()
except OSError as error:
    print(f"notebooks not given out: {error}", flush=True)

c = get_config()  # noqa: F821
c.ServerApp.root_dir = str(WORK)
c.ServerApp.contents_manager_class = CourseContents
c.ServerApp.allow_root = True  # a rehearsal that root began; a class's seats never are
c.ServerApp.terminals_enabled = False
c.ServerApp.allow_remote_access = True  # the proxy asks with the class address as host
c.ServerApp.shutdown_no_activity_timeout = 0  # the hub decides
# kernels talk over sockets in the seat's own folder: no ports that another seat's kernel could take
# at the same moment (a socket's path may have 107 bytes)
if len(os.fsencode(os.environ["JUPYTER_RUNTIME_DIR"])) + len("/kernel-.json-ipc-5") + 36 < 100:
    c.KernelManager.transport = "ipc"
# a kernel of a notebook that nobody has open goes when the seat would; a running cell never
c.MappingKernelManager.cull_idle_timeout = IDLE_SECONDS
c.MappingKernelManager.cull_interval = min(300, max(1, IDLE_SECONDS // 2))
c.MappingKernelManager.cull_connected = False
c.MappingKernelManager.cull_busy = False
# Chinese, and no question to any other host
c.LabApp.app_settings_dir = str(KIT.parent / "settings")
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
c.LanguageServerManager.autodetect = False
