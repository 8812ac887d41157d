"""The board of every bank that has been built: the lessons' numbers on a page at peace."""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from course_utils.brief import METADATA
from course_utils.build.products.board import board_lessons, write_board
from course_utils.build.products.board.panels import SECTIONS
from course_utils.build.products.browser import find_browser, print_page
from course_utils.build.products.scan import scan_folder
from course_utils.cli.common import open_build

ROOT = Path(__file__).resolve().parents[2]
BANKS = sorted(path.parent.name for path in ROOT.glob("build/*/instructor"))
#: A number that stands for itself: not the digits of B01, T3 or m02_n02.
NUMBER = re.compile(r"(?<![A-Za-z\d_.])[-+]?\d[\d,]*(?:\.\d+)?%?")
WIDTHS = {"phone": 390, "laptop": 1280, "projector": 1920}


def numbers(text: str) -> set[str]:
    return {token.replace(",", "").lstrip("+") for token in NUMBER.findall(text)}


def joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def shown(output: dict) -> str:
    """Everything an output says, the picture's title and alternative text too."""
    data = output.get("data", {})
    texts = [data.get(kind, "") for kind in ("text/plain", "text/markdown")]
    return "\n".join(map(joined, [*texts, output.get("text", "")]))


class Words(HTMLParser):
    """The texts and pictures of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.pictures: list[dict[str, str]] = []
        self._quiet = 0

    def handle_starttag(self, tag, attrs):
        self._quiet += tag == "style"
        if tag == "img":
            self.pictures.append(dict(attrs))

    def handle_endtag(self, tag):
        self._quiet -= tag == "style"

    def handle_data(self, data):
        if not self._quiet:
            self.texts.append(data)


@pytest.fixture(scope="module", params=BANKS)
def board(request):
    build = open_build(request.param, force=False, jobs=None)
    page = write_board(build)
    notebooks = {}
    for lesson in board_lessons(build):
        path = lesson.path(build.executed("instructor"), ".ipynb")
        if path.is_file():
            notebooks[lesson.key] = json.loads(path.read_text(encoding="utf-8"))
    return build, page, notebooks


def test_there_is_a_bank_to_look_at():
    assert BANKS, "no bank has been built"


def test_every_section_has_a_result(board):
    _, page, notebooks = board
    text = page.read_text(encoding="utf-8")
    for key, title in SECTIONS.items():
        assert f'<section id="{key}"' in text and title in text
    assert text.count('class="headline"') == sum(
        METADATA in output.get("metadata", {})
        for notebook in notebooks.values()
        for cell in notebook["cells"]
        for output in cell.get("outputs", ())
    )
    assert text.count('class="headline"') >= len(SECTIONS)


def test_numbers_of_a_brief_were_shown_in_the_lesson(board):
    """What the bank's head reads, the class has seen: in an output, or as a parameter."""
    _, _, notebooks = board
    strangers = {}
    for key, notebook in notebooks.items():
        seen, said = set(), set()
        for cell in notebook["cells"]:
            if "parameters" in cell["metadata"].get("tags", ()):
                seen |= numbers(joined(cell["source"]))
            for output in cell.get("outputs", ()):
                brief = METADATA in output.get("metadata", {})
                rule = output["metadata"][METADATA]["rule"] if brief else ""
                found = numbers(shown(output).replace(rule, "") if brief else shown(output))
                (said if brief else seen).update(found)
        assert said, key
        strangers |= {key: sorted(said - seen)} if said - seen else {}
    assert strangers == {}


def test_numbers_of_the_page_are_those_of_the_lessons(board):
    build, page, notebooks = board
    words = Words()
    words.feed(page.read_text(encoding="utf-8"))
    known = numbers(f"{build.profile.as_of:%Y-%m-%d} 5")
    for notebook in notebooks.values():
        for cell in notebook["cells"]:
            for output in cell.get("outputs", ()):
                known |= numbers(shown(output))
    left_out = {token for text in words.texts for token in numbers(text) if "只列前" in text}
    assert numbers("\n".join(words.texts)) - left_out - known == set()


def test_every_part_of_a_brief_stands_in_its_place(board):
    """The page says it in the same words as the plain text that the lesson showed."""
    _, page, notebooks = board
    text = re.sub(r"\s*<[^>]+>\s*", "|", page.read_text(encoding="utf-8"))
    text = re.sub(r"\|+", "|", unescape(text))
    for notebook in notebooks.values():
        for cell in notebook["cells"]:
            for output in cell.get("outputs", ()):
                if METADATA not in output.get("metadata", {}):
                    continue
                for line in shown(output).splitlines():
                    tiles = re.fullmatch(r"· (.+?)：([^：（]+)（(.+)）", line)
                    parts = tiles or re.fullmatch(r"→ (.+?)：(.+)（(.+?)）", line)
                    if parts:
                        assert f"|{'|'.join(parts.groups())}|" in text
                    else:
                        assert not line.startswith(("· ", "→ ")), line
                        assert re.sub(r"^(【.+?】|留神：|怎么判：)", "", line) in text


def test_pictures_are_the_very_bytes_of_the_lessons(board):
    _, page, notebooks = board
    words = Words()
    words.feed(page.read_text(encoding="utf-8"))
    drawn = {
        joined(output["data"]["image/png"]).replace("\n", ""): output["metadata"]["alt"]
        for notebook in notebooks.values()
        for cell in notebook["cells"]
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    }
    assert len(words.pictures) == len(SECTIONS)
    for picture in words.pictures:
        png = picture["src"].removeprefix("data:image/png;base64,")
        assert drawn[png] == picture["alt"]


def test_nothing_leaks_and_the_same_results_give_the_same_page(board):
    build, page, _ = board
    assert [str(leak) for leak in scan_folder(page.parent)] == []
    before = page.read_bytes()
    assert write_board(build).read_bytes() == before
    assert [path.name for path in page.parent.iterdir()] == ["index.html"]


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    switches = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    switches += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as player:
        started = player.chromium.launch(executable_path=find_browser(), args=switches)
        yield started
        started.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_asks_for_nothing_and_fits_every_screen(board, browser, scheme):
    _, page, _ = board
    for name, width in WIDTHS.items():
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=True
        )
        tab, asked, complaints = context.new_page(), [], []
        tab.on("request", lambda request, asked=asked: asked.append(request.url[:40]))
        tab.on("console", lambda message, said=complaints: said.append(message.text))
        tab.on("pageerror", lambda error, said=complaints: said.append(str(error)))
        tab.goto(page.as_uri())
        tab.wait_for_function("document.fonts.status === 'loaded'")
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        assert len([url for url in asked if url.startswith("file:")]) == 1
        assert complaints == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, name
        assert tab.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 300)")
        assert tab.evaluate("document.fonts.check('16px \"Course Board\"', '行长看板')")
        assert tab.locator(".tile").count() == 5
        # a link of the first screen leads to its section
        tab.locator(".tile").first.click()
        assert tab.evaluate("document.querySelector(location.hash) !== null")
        context.close()


def test_words_stand_out_from_their_ground(board, browser):
    """WCAG asks for a contrast of 4.5; it is measured in both colour schemes."""
    _, page, _ = board
    measure = """() => {
      const light = c => { const v = c.map(x => x / 255).map(
        x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
        return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
      const rgb = text => text.match(/[\\d.]+/g).map(Number);
      const ground = node => { for (; node; node = node.parentElement) {
        const c = rgb(getComputedStyle(node).backgroundColor);
        if (c.length < 4 || c[3] > 0) return c.slice(0, 3); } return [255, 255, 255]; };
      const poor = [];
      for (const node of document.querySelectorAll('body *')) {
        const own = [...node.childNodes].some(n => n.nodeType === 3 && n.data.trim());
        if (!own || node.closest('figcaption')) continue;
        const pair = [light(rgb(getComputedStyle(node).color).slice(0, 3)), light(ground(node))];
        const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
        if (ratio < 4.5) poor.push([node.className || node.tagName, ratio]);
      }
      return poor; }"""
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)
        tab = context.new_page()
        tab.goto(page.as_uri())
        assert tab.evaluate(measure) == [], scheme
        context.close()


def test_it_prints_on_two_to_four_sheets_across(board, tmp_path):
    _, page, _ = board
    print_page(find_browser(), page, tmp_path / "board.pdf")
    sheets = (tmp_path / "board.pdf").read_bytes()
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", sheets)) <= 4
    boxes = re.findall(rb"/MediaBox\s*\[([^]]*)\]", sheets)
    for left, bottom, right, top in (map(float, box.split()) for box in boxes):
        assert right - left == pytest.approx(842, abs=2)
        assert top - bottom == pytest.approx(595, abs=2)
