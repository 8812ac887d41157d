"""Sphinx's settings for one site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1]


def settings(title: str, footer: str, edition: str) -> dict[str, Any]:
    """Return the settings.

    Parameters
    ----------
    title : str
        Title of the site.
    footer : str
        Line below every page.
    edition : str
        Name of the edition, shown below the title.
    """
    return {
        "project": title,
        "author": "",
        "copyright": "",
        "language": "zh_CN",
        "extensions": [
            "myst_nb",
            "sphinx_copybutton",
            "course_utils.build.products.site.renderer.extension",
        ],
        "templates_path": [str(FOLDER / "templates")],
        # notebooks were executed by the build
        "nb_execution_mode": "off",
        "nb_merge_streams": True,
        "nb_render_markdown_format": "gfm",
        "myst_enable_extensions": ["dollarmath", "amsmath"],
        "myst_dmath_allow_space": False,
        "myst_dmath_allow_digits": False,
        "html_math_renderer": "mathml",
        "html_theme": "sphinx_book_theme",
        "html_title": title,
        "html_search_language": "zh",
        "html_show_search_summary": False,
        "html_copy_source": False,
        "html_show_sourcelink": False,
        "html_show_sphinx": False,
        "html_use_index": False,
        "html_domain_indices": False,
        "html_permalinks_icon": "#",
        "html_static_path": [str(FOLDER / "static")],
        "html_css_files": ["site.css"],
        "html_js_files": ["site.js"],
        "html_sidebars": {"**": ["title.html", "search-button-field.html", "sbt-sidebar-nav.html"]},
        "html_theme_options": {
            "use_download_button": False,
            "use_fullscreen_button": True,
            "home_page_in_toc": False,
            "show_navbar_depth": 1,
            "max_navbar_depth": 3,
            "show_toc_level": 2,
            "toc_title": "本页目录",
            "search_bar_text": "搜索本站…",
            "footer_content_items": ["extra-footer.html"],
            "extra_footer": footer,
            "pygments_light_style": "tango",
            "pygments_dark_style": "monokai",
        },
        "html_context": {"edition_name": edition, "site_title": title, "default_mode": "auto"},
        "copybutton_copy_empty_lines": True,
        "suppress_warnings": ["misc.highlighting_failure"],
    }
