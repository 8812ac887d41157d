"""Parts of the site that need no Sphinx run: terms, search, line ends, anchors, formulas."""

import re
import shutil

import pytest
from build_project import REPOSITORY
from docutils import nodes
from docutils.core import publish_doctree

from course_utils.build.products.browser import _candidates
from course_utils.build.products.scan_pages import is_vendored
from course_utils.build.products.site.content.glossary import (
    prose,
    read_glossary,
    terms_by_lesson,
)
from course_utils.build.products.site.content.indexes import aims
from course_utils.build.products.site.content.parts import block, from_html, markdown_text
from course_utils.build.products.site.renderer.formulas import mathml
from course_utils.build.products.site.renderer.reading import (
    heading_anchor,
    join_chinese_lines,
)
from course_utils.build.products.site.renderer.search import PairedChinese
from course_utils.build.products.site.renderer.texts import page_text
from course_utils.build.sources.masters import read_master
from course_utils.build.sources.syllabus import load_syllabus
from course_utils.errors import CourseError

GLOSSARY = REPOSITORY / "data" / "reference" / "glossary.yml"
SYLLABUS = load_syllabus(REPOSITORY / "lessons" / "syllabus.yml")


@pytest.fixture(scope="module")
def masters():
    lessons = REPOSITORY / "lessons"
    return {ls.key: read_master(ls.path(lessons, ".py")) for ls in SYLLABUS.lessons}


# ---- glossary -----------------------------------------------------------------------------------


def test_every_term_is_defined_in_both_languages_and_used_by_a_lesson(masters):
    terms = read_glossary(GLOSSARY)
    assert 120 <= len(terms) <= 200
    used = terms_by_lesson(terms, masters)
    mentioned = {term.zh for found in used.values() for term in found}
    assert [term.zh for term in terms if term.zh not in mentioned] == []
    for term in terms:
        assert re.fullmatch(r"[A-Za-z–' -]+", term.en), term.zh
        assert term.means.endswith("。") and 1 <= term.means.count("。") <= 2, term.zh
        assert not re.search("[,;:!?()]", term.means), term.zh
    assert all(len(found) >= 5 for found in used.values())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("存款:\n  - {zh: 活期, en: demand}\n", "“活期”要有 zh、en、means"),
        ("存款:\n  - {zh: 活期, en: demand, means: }\n", "“活期”"),
        ("存款:\n  - {zh: 活期, en: demand, means: 甲。, note: 乙}\n", "“活期”要有"),
        (
            "存款:\n  - {zh: 活期, en: a, means: 甲。}\n"
            "  - {zh: 定期, en: b, means: 乙。, also: [活期]}\n",
            "“活期”出现了两次",
        ),
        ("- 活期\n", "分组: 术语清单"),
    ],
)
def test_a_broken_glossary_is_one_sentence(tmp_path, text, message):
    path = tmp_path / "glossary.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match=message):
        read_glossary(path)


def test_latin_terms_count_as_words_and_code_does_not_count(masters):
    terms = {term.zh: term for term in read_glossary(GLOSSARY)}
    assert terms["KS"].used_in("用 KS 看分得开不开") and not terms["KS"].used_in("TASKS")
    master = masters["m02_n02"]
    assert "RENEWED_SHARE" not in prose(master) and "续存" in prose(master)
    assert "常见的弯路" not in prose(master)  # what only instructors read


def test_every_lesson_has_three_aims_for_its_card(masters):
    assert {key: len(aims(master)) for key, master in masters.items()} == dict.fromkeys(masters, 3)


# ---- search -------------------------------------------------------------------------------------


def test_chinese_becomes_characters_and_pairs_the_rest_words():
    split = PairedChinese({}).split("存款流失 AUM，deposit_account 2025 税")
    assert {"存款", "款流", "流失", "失", "AUM", "deposit_account", "2025", "税"} <= set(split)
    assert "失AUM" not in split and "存款流失" not in split
    language = PairedChinese({})
    kept = {language.stem(word) for word in split if language.word_filter(language.stem(word))}
    assert {"存款", "税", "aum", "deposit_account"} <= kept and "2025" not in kept


def test_the_text_of_a_page_is_its_article_prose_before_code():
    page = (
        '<nav>目录</nav><article class="bd-article"><h1>课<a class="headerlink" href="#x">#</a>'
        "</h1>"
        "<pre>x = 1</pre><style>p{}</style><p>正 文&lt;b&gt;</p></article><footer>脚</footer>"
    )
    assert page_text(page) == "课 正 文<b> x = 1"


# ---- reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("前面\n后面", "前面后面"),
        ("句号。\n“引号”", "句号。“引号”"),
        ("a word\nand more", "a word\nand more"),
        ("中文\nEnglish", "中文\nEnglish"),
        ("前面，\n**粗体**\n后面", "前面，粗体后面"),
    ],
)
def test_line_ends_between_chinese_characters_go(text, expected):
    doctree = publish_doctree(text)
    join_chinese_lines(None, doctree)
    assert doctree.astext() == expected


def test_anchors_are_the_text_of_the_heading():
    title = nodes.title("", "", nodes.Text("存款 账户 "), nodes.literal("", "deposit_account"))
    section = nodes.section("", title)
    assert heading_anchor(section) == "存款-账户-deposit_account"
    assert heading_anchor(section, by_name=True) == "deposit_account"


def test_formulas_are_mathml_or_one_sentence():
    assert "<mfrac>" in mathml(r"\frac{a}{b}", "block") and 'display="block"' in mathml(
        "a", "block"
    )
    with pytest.raises(CourseError, match="写法不对"):
        mathml(r"\frac{a}{", "inline")


# ---- pieces -------------------------------------------------------------------------------------


def test_html_becomes_headings_and_blocks_without_blank_lines():
    text = from_html("<h1>甲 &amp; 乙*</h1><p>一</p>\n\n<p>二</p><table><tr></tr></table>")
    assert "# 甲 & 乙\\*\n" in text
    assert "<p>一</p>\n<p>二</p>" in text and '<div class="table-box"><table' in text
    assert block("a\n\n \nb") == "\n\na\nb\n\n"
    assert markdown_text("[a](b) `c`") == r"\[a\](b) \`c\`"


def test_a_file_of_the_theme_is_known_by_its_bytes_only(tmp_path):
    import sphinx

    source = REPOSITORY.joinpath(sphinx.__file__).parent / "themes/basic/static/searchtools.js"
    copy = tmp_path / "anything.js"
    shutil.copy(source, copy)
    assert is_vendored(copy)
    copy.write_text(copy.read_text(encoding="utf-8") + " ", encoding="utf-8")
    assert not is_vendored(copy)


def test_browsers_are_looked_for_where_windows_keeps_them(monkeypatch):
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("PROGRAMFILES(X86)", "P")
    found = [path.as_posix() for path in _candidates()]
    assert "P/Microsoft/Edge/Application/msedge.exe" in found
