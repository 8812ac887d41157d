"""The site: complete, without answers for trainees, quick the second time, alive in a browser."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import sync_playwright
from site_project import FIRST, REASON, SECOND, THIRD, browser_path, execute, records, remove
from site_project import small_site as make_small_site

from course_utils.build.products.browser import find_browser
from course_utils.build.products.handouts import write_handouts
from course_utils.build.products.scan import scan_folder
from course_utils.build.products.site import write, write_pages
from course_utils.build.products.site.renderer.search import PairedChinese
from course_utils.errors import CourseError

pytestmark = pytest.mark.slow  # Sphinx, a browser
EDITIONS = ("trainee", "instructor")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
TEXTS = {".html", ".js", ".css", ".txt"}


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    build = make_small_site(tmp_path_factory.mktemp("project"))
    write_pages(build, records())
    return build


@pytest.fixture(scope="module")
def site(build):
    return build.folder / "pages"


def page(site, edition, name):
    return (site / edition / f"{name}.html").read_text(encoding="utf-8")


def written(folder):
    files = (path for path in folder.rglob("*") if path.suffix in TEXTS)
    return {path: path.read_text(encoding="utf-8") for path in files}


def contents(folder):
    """Return all files; the theme stamps one of its own only in a second run."""
    stamp = re.compile(rb"\?v=[0-9a-f]+")
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder): stamp.sub(b"", path.read_bytes()) for path in files}


def plain(text):
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", "", text))


# ---- what is on the pages ----------------------------------------------------------------------


def test_sphinx_has_nothing_to_complain_about(build):
    logs = sorted((build.folder / ".records" / "site").glob("*/sphinx.log"))
    assert [log.read_text(encoding="utf-8") for log in logs] == ["", ""]


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_link_leads_to_a_page_and_a_place_on_it(site, edition):
    pages = {
        path.name: path.read_text(encoding="utf-8") for path in (site / edition).glob("*.html")
    }
    ids = {name: set(re.findall(r'\bid="([^"]+)"', text)) for name, text in pages.items()}
    checked = 0
    for name, text in pages.items():
        for address in re.findall(r'<a\b[^>]*\bhref="([^"]+)"', text):
            target, _, anchor = unquote(address).replace("&amp;", "&").partition("#")
            target = target or name
            assert target in pages, (name, address)
            assert not anchor or anchor in ids[target], (name, address)
            checked += 1
    assert checked > 500


def test_the_first_page_shows_trainings_lessons_and_how_they_ran(site, build):
    for edition in EDITIONS:
        text = plain(page(site, edition, "index"))
        for expected in (
            "数据应用",
            "小模块",
            "课1",
            "L1",
            "10 分钟",
            "已运行",
            build.profile.name,
        ):
            assert expected in text
    assert REASON in plain(page(site, "instructor", "index"))
    assert REASON not in plain(page(site, "trainee", "index"))
    assert "没有运行成功" in page(site, "trainee", "index")
    assert f'href="{THIRD}.html"' not in page(site, "trainee", "index")


def test_a_lesson_shows_its_outputs_and_where_to_go_on(site):
    text = page(site, "trainee", FIRST)
    assert 'alt="一张“空”图"' in text or 'alt="一张&quot;空&quot;图"' in text
    assert re.search(r'src="_static/pictures/[0-9a-f]{20}\.png"', text)
    assert "<strong>一句话</strong>" in text and "很宽的一列39" in text
    assert f'href="{SECOND}.html"' in text  # the next lesson
    assert 'href="glossary.html#续存率"' in text
    assert "才能照着再算" in text  # no blank where the master's line ends
    assert 'id="演示一：看-LIMIT-变了什么"' in text


def test_formulas_are_mathml_and_no_script_draws_them(site):
    text = page(site, "trainee", FIRST)
    assert "<mfrac>" in text
    sources = re.findall(r'<script[^>]*src="([^"]+)"', text)
    assert sources and not [source for source in sources if "mathjax" in source.lower()]


def test_the_reference_pages_know_lessons_terms_tables_and_outline(site):
    assert f'href="{FIRST}.html"' in page(site, "trainee", "glossary")
    assert 'id="deposit_account"' in page(site, "trainee", "dictionary-deposit")
    outline = plain(page(site, "instructor", "outline"))
    assert "1 条已经有课，1 条的课还没有做" in outline and "还没有做（m99_n09）" in outline
    assert not (site / "trainee" / "outline.html").exists()
    assert "09:00–09:40" in page(site, "trainee", "plan-half")


def test_trainees_get_no_answer_and_no_truth(site):
    trainee, instructor = (written(site / edition) for edition in EDITIONS)
    for secret in ("真值", "tripled", "常见错误"):
        assert any(secret in text for text in instructor.values()), secret
        assert [path.name for path, text in trainee.items() if secret in text] == []
    plain_code = re.sub("<[^>]+>", "", page(site, "trainee", FIRST))
    assert "answer = ..." in plain_code and "LIMIT * 2\n" not in plain_code
    solved = re.sub("<[^>]+>", "", page(site, "instructor", FIRST))
    assert "answer = LIMIT * 2\n" in solved
    assert not list(site.rglob("*.ipynb")) and not list(site.rglob("_sources"))


def test_nothing_in_the_site_asks_for_a_network(site):
    assert [str(leak) for leak in scan_folder(site)] == []


@pytest.mark.parametrize(
    ("name", "old", "new", "kind"),
    [
        (f"{FIRST}.html", "一句话", "一句话<script>x()</script>", "页面里有脚本"),
        (
            f"{FIRST}.html",
            "<head>",
            '<head><script src="../x.js"></script>',
            "脚本不在网页文件夹里",
        ),
        (f"{FIRST}.html", "<head>", "<head><script>fetch('x')</script>", "页面要联网"),
        ("_static/site.css", "@media", '@import "//cdn.example.com/a.css"; @media', "外部网址"),
        ("_static/search.js", "use strict", "use strict'; fetch('a');'", "脚本要联网"),
        ("_static/searchtools.js", "fetch(requestUrl)", "fetch (requestUrl)", "脚本要联网"),
        ("search-texts.js", "window.", "/* 138" + "00138000 */ window.", "手机号"),
    ],
)
def test_the_scan_sees_what_somebody_adds_to_a_page(site, tmp_path, name, old, new, kind):
    import shutil

    shutil.copytree(site / "trainee", tmp_path / "site")
    path = tmp_path / "site" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert kind in {leak.kind for leak in scan_folder(tmp_path / "site")}


def test_the_frame_of_a_page_is_chinese(site):
    for name in ("index", FIRST, "search"):
        text = page(site, "trainee", name)
        text = re.sub(r'<article class="bd-article".*?</article>', "", text, flags=re.S)
        text = re.sub(r"<(script|style|head|kbd|code)\b.*?</\1>|<!--.*?-->", "", text, flags=re.S)
        labels = re.findall(r'(?:title|aria-label|placeholder|alt)="([^"]*)"', text)
        words = re.findall("[A-Za-z]{4,}", " ".join([plain(text), *labels]))
        assert set(words) <= {"JavaScript", "ctrl", "LIMIT"}, name


# ---- made again ----------------------------------------------------------------------------------


def test_what_changed_is_made_again_and_what_is_gone_goes(tmp_path):
    build = make_small_site(tmp_path)
    folder = write_pages(build, records())
    before = contents(folder)
    write_pages(build, records())
    assert contents(folder) == before

    execute(build, SECOND, extra="新算出来的。")
    write_pages(build, records())
    after = contents(folder)
    changed = {path.name for path in before if after[path] != before[path]}
    assert changed == {f"{SECOND}.html", "search-texts.js", "searchindex.js"}
    assert "新算出来的" in (folder / "trainee" / "search-texts.js").read_text(encoding="utf-8")

    remove(build, SECOND)
    write_pages(build, records())
    for edition in EDITIONS:
        assert not (folder / edition / f"{SECOND}.html").exists()
        assert f"{SECOND}.html" not in page(folder, edition, FIRST)  # nor in the navigation
        assert SECOND not in (folder / edition / "search-texts.js").read_text(encoding="utf-8")


def test_without_sphinx_there_is_one_sentence(build, monkeypatch):
    monkeypatch.setattr(write, "find_spec", lambda name: None)
    with pytest.raises(CourseError, match="没有装生成网页的程序"):
        write_pages(build, records())


def test_a_broken_notebook_leaves_the_old_pages(tmp_path):
    build = make_small_site(tmp_path)
    folder = write_pages(build, records())
    path = build.syllabus.lesson(FIRST).path(build.executed("trainee"), ".ipynb")
    path.write_text('{"cells": [', encoding="utf-8")
    with pytest.raises(CourseError, match=f"{FIRST}.*读不出来"):
        write_pages(build, records())
    assert (folder / "trainee" / f"{FIRST}.html").is_file()


# ---- in a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=list(ARGUMENTS))
        yield browser
        browser.close()


class Visit:
    """A tab that notes every request beyond the folder and every complaint of the browser."""

    def __init__(self, browser, folder, **options):
        self.context = browser.new_context(**options)
        self.context.set_offline(True)
        self.tab = self.context.new_page()
        self.folder, self.faults = Path(folder), []
        self.tab.on("request", self._request)
        self.tab.on("requestfailed", lambda r: self.faults.append(f"failed {r.url}"))
        self.tab.on("pageerror", lambda error: self.faults.append(str(error)))
        self.tab.on("console", self._console)

    def open(self, name, query=""):
        self.tab.goto((self.folder / f"{name}.html").as_uri() + query)
        self.tab.wait_for_function("document.fonts.status === 'loaded'")
        return self.tab

    def _request(self, request):
        if not request.url.startswith((self.folder.as_uri(), "data:", "blob:")):
            self.faults.append(request.url)

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.faults.append(message.text)


@pytest.fixture
def visit(chromium, site, request):
    visit = Visit(chromium, site / "instructor", **getattr(request, "param", {}))
    yield visit
    visit.context.close()
    assert visit.faults == []


PAGES = ("index", FIRST, "training-S004", "module-m98", "glossary", "dictionary")
PAGES += ("dictionary-deposit", "plan-half", "outline", "search")


@pytest.mark.parametrize("visit", [{"viewport": {"width": 390, "height": 844}}], indirect=True)
def test_no_page_is_wider_than_a_phone(visit):
    for name in PAGES:
        tab = visit.open(name)
        assert tab.evaluate("document.documentElement.scrollWidth") == 390, name
        assert tab.locator("h1").first.inner_text()
    table = visit.open(FIRST).locator("div.cell_output:has(table)").first
    inside = "box => [box, ...box.querySelectorAll('*')].filter(e => e.clientWidth)"
    assert table.evaluate(f"{inside}.some(e => e.scrollWidth > e.clientWidth)")


def found(tab):
    tab.wait_for_function("/找到/.test(document.querySelector('.search-summary')?.textContent)")
    return tab.locator("ul.search > li:visible").all_inner_texts()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("照着再算", "课 1"),  # four characters across two lines of the master
        ("续存率", "术语表 > 续存率"),
        ("deposit_account", "存款账户 deposit_account"),
        ("DEPOSIT_account", "存款账户 deposit_account"),
        ("一句话 续存", "课 1"),
        ("税", "数据字典"),
    ],
)
def test_chinese_search_finds_compounds_terms_and_tables(visit, query, expected):
    results = found(visit.open("search", f"?q={query}"))
    assert any(expected in result.split("\n")[0] for result in results)
    assert all(any(word.lower() in result.lower() for word in query.split()) for result in results)


def test_queries_are_split_into_terms_of_the_index(visit):
    queries = ["存款流失", "税", "AUM 月日均", "deposit_account", "E1", "，。"]
    tab = visit.open("search")
    for query in queries:
        terms = tab.evaluate("query => splitQuery(query)", query)
        assert set(terms) <= set(PairedChinese({}).split(query))
        assert bool(terms) == bool(re.search(r"\w", query))


def test_a_search_for_what_is_nowhere_says_so(visit):
    tab = visit.open("search", "?q=区块链<b>钱包")
    assert found(tab) == []
    assert "没有找到“区块链<b>钱包”" in tab.locator(".search-summary").inner_text()


def test_the_search_box_leads_to_the_results(visit):
    tab = visit.open("index")
    tab.keyboard.press("Control+k")
    tab.keyboard.type("续存率")
    tab.keyboard.press("Enter")
    assert found(tab)[0].startswith("术语表 > 续存率")
    tab.locator("ul.search a").first.click()
    assert "renewal rate" in tab.locator("h3:has-text('续存率') + .term").inner_text()


def brightness(tab):
    colour = tab.evaluate("getComputedStyle(document.querySelector('.bd-article')).color")
    return sum(map(int, re.findall(r"\d+", colour)[:3]))


def test_dark_mode_is_switched_kept_and_leaves_pictures_readable(visit):
    tab = visit.open(FIRST)
    light = brightness(tab)
    tab.locator("button.theme-switch-button:visible").first.click()
    tab.locator("button.theme-change-button[data-mode=dark]:visible").click()
    assert brightness(tab) > light + 200
    assert visit.open(SECOND).evaluate("document.documentElement.dataset.theme") == "dark"
    chart = tab.locator("img.chart").first
    assert chart.evaluate("p => getComputedStyle(p).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.parametrize("visit", [{"java_script_enabled": False}], indirect=True)
def test_without_scripts_the_text_is_there_and_a_sentence_says_what_is_not(visit):
    visit.tab.goto((visit.folder / f"{FIRST}.html").as_uri())
    assert "续存率是多少" in visit.tab.locator("article").inner_text()
    assert "没有启用脚本" in visit.tab.content()
    visit.faults.clear()  # scripts that were not loaded


def test_an_old_browser_is_told(visit):
    visit.context.add_init_script("delete String.prototype.replaceAll")
    visit.tab.goto((visit.folder / f"{FIRST}.html").as_uri())
    assert "浏览器版本太旧" in visit.tab.locator("p.site-warning[role=alert]").inner_text()
    visit.faults.clear()  # the theme's scripts may need what was taken away


def test_on_paper_there_is_the_lesson_and_nothing_around_it(visit):
    tab = visit.open(FIRST)
    tab.emulate_media(media="print")
    for hidden in (".bd-sidebar-primary", ".bd-header-article", ".prev-next-footer"):
        assert not tab.locator(hidden).first.is_visible(), hidden
    assert tab.locator("article h1").first.is_visible()
    rule = tab.evaluate("[...document.querySelectorAll('style')].map(s => s.textContent).join()")
    assert "counter(page)" in rule and "课 1" in rule


# ---- handouts ------------------------------------------------------------------------------------


def test_a_handout_is_printed_once_and_again_when_its_page_is_newer(build, site):
    lessons = build.syllabus.select([FIRST])
    (pdf,) = write_handouts(build, lessons)
    data = pdf.read_bytes()
    assert data.startswith(b"%PDF-") and len(re.findall(rb"/Type /Page\b", data)) >= 1
    assert pdf.parent == build.folder / "handouts" / "trainee"
    first = pdf.stat().st_mtime_ns
    assert write_handouts(build, lessons) == [pdf] and pdf.stat().st_mtime_ns == first
    (site / "trainee" / f"{FIRST}.html").touch()
    write_handouts(build, lessons)
    assert pdf.stat().st_mtime_ns > first


def test_a_lesson_without_a_page_has_no_handout(build):
    with pytest.raises(CourseError, match="course build --bank coastal"):
        write_handouts(build, build.syllabus.select([THIRD]))


def test_no_browser_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("COURSE_BROWSER", raising=False)
    with pytest.raises(CourseError, match="没有找到 Chrome、Edge 或 Chromium"):
        find_browser()
    monkeypatch.setenv("COURSE_BROWSER", "no-such-browser")
    with pytest.raises(CourseError, match="COURSE_BROWSER 写的“no-such-browser”找不到"):
        find_browser()


def test_a_browser_that_prints_nothing_is_one_sentence(monkeypatch, build, site):
    monkeypatch.setenv("COURSE_BROWSER", "true")
    with pytest.raises(CourseError, match="没有打印出"):
        write_handouts(build, build.syllabus.select([SECOND]))
