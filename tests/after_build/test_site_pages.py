"""The sites of all banks that have been built: every page in a browser without a network."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, sync_playwright

from course_utils.build.sources.masters import read_master, split_answer
from course_utils.build.sources.syllabus import load_syllabus

ROOT = Path(__file__).resolve().parents[2]
#: Sites that have been made; a bank may also have been built without products.
SITES = sorted(
    site
    for site in ROOT.glob("build/*/pages/*")
    if (site.parent.parent / ".records" / "site" / site.name / "sphinx.log").is_file()
)
SYLLABUS = load_syllabus(ROOT / "lessons" / "syllabus.yml")
MASTERS = [read_master(ls.path(ROOT / "lessons", ".py")) for ls in SYLLABUS.lessons]
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
#: Pages that are much the same for all banks: looked at for the first one only.
ALIKE = ("dictionary", "module-", "training-")
#: Shorter solutions may well be lines of a demonstration.
LONG = 60

pytestmark = pytest.mark.skipif(not SITES, reason="no bank has been built")
each_site = pytest.mark.parametrize("site", SITES, ids=lambda p: f"{p.parent.parent.name}-{p.name}")


@pytest.fixture(scope="module")
def chromium():
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@each_site
def test_every_page_opens_fits_a_phone_and_asks_for_nothing(chromium: Browser, site: Path):
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    context.set_offline(True)
    tab, faults = context.new_page(), []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on("requestfailed", lambda request: faults.append(request.url))
    tab.on("console", lambda m: faults.append(m.text) if m.type in ("error", "warning") else None)
    tab.on(
        "request",
        lambda r: None if r.url.startswith((site.as_uri(), "data:")) else faults.append(r.url),
    )
    pages = sorted(site.glob("*.html"))
    for page in pages:
        if page.name.startswith(ALIKE) and site.parent != SITES[0].parent:
            continue
        tab.goto(page.as_uri())
        if tab.evaluate("document.documentElement.scrollWidth") > 390:
            faults.append(f"{page.name} is wider than a phone")
        if not tab.locator("h1").first.inner_text():
            faults.append(f"{page.name} has no title")
    context.close()
    assert faults == []
    assert _executed(site) <= {page.stem for page in pages}


@each_site
def test_every_link_arrives(site: Path):
    pages = {path.name: path.read_text(encoding="utf-8") for path in site.glob("*.html")}
    ids = {name: set(re.findall(r'\bid="([^"]+)"', text)) for name, text in pages.items()}
    lost = set()
    for name, text in pages.items():
        for address in re.findall(r'<a\b[^>]*\bhref="([^"]+)"', text):
            target, _, anchor = unquote(address).replace("&amp;", "&").partition("#")
            if (target or name) not in pages or (anchor and anchor not in ids[target or name]):
                lost.add((name, address))
    assert lost == set()


@each_site
def test_sphinx_found_nothing_wrong_and_no_mark_is_left_over(site: Path):
    log = site.parent.parent / ".records" / "site" / site.name / "sphinx.log"
    assert log.read_text(encoding="utf-8") == ""
    for page in site.glob("m*_n*.html"):
        text = re.sub(
            r"<(pre|code|script|table)\b.*?</\1>", "", page.read_text("utf-8"), flags=re.S
        )
        assert re.findall(r"[^*]{0,12}\*\*[^*]{0,12}", text) == [], page.name


@pytest.mark.parametrize(
    "site", [p for p in SITES if p.name == "trainee"], ids=lambda p: str(p)[-30:]
)
def test_trainees_see_no_solution_and_nothing_meant_for_instructors(site: Path):
    lessons = "".join(_squeezed(path) for path in site.rglob("*.html"))
    texts = (site / "search-texts.js").read_text(encoding="utf-8")
    leaks = []
    for master in MASTERS:
        for cell in master.cells:
            if cell.question("answer"):
                hidden = [split_answer(cell.source).solution]
            elif cell.question("wrong") or cell.instructor_only:
                hidden = [line for line in cell.source.splitlines() if not line.startswith("#")]
            else:
                continue
            leaks += [
                (master.lesson, text)
                for text in hidden
                if len(text) > LONG and (_bare(text) in lessons or text in texts)
            ]
    shared = _bare("".join(_seen(cell) for master in MASTERS for cell in master.cells))
    assert [leak for leak in leaks if _bare(leak[1]) not in shared] == []
    assert "揭示真值" not in lessons and "揭示真值" not in texts


def _executed(site: Path) -> set[str]:
    """Return the lessons that ran in the edition of a site."""
    run = json.loads((site.parent.parent / "run.json").read_text(encoding="utf-8"))
    rows = [row for row in run["lessons"] if row["edition"] == site.name]
    assert rows
    return {row["lesson"] for row in rows if row["status"] != "failed"}


def _seen(cell) -> str:
    """Return what trainees are meant to see of a cell."""
    if cell.question("answer"):
        return split_answer(cell.source).blank_source
    hidden = cell.instructor_only or cell.question("wrong") or cell.question("alternative")
    return "" if hidden else cell.source


def _bare(text: str) -> str:
    return re.sub(r"\s", "", text)


def _squeezed(path: Path) -> str:
    from html import unescape

    return _bare(unescape(re.sub("<[^>]+>", "", path.read_text(encoding="utf-8"))))
