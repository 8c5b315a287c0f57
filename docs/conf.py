"""How Sphinx builds the site from the sources that `build.py` puts together."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

project = "refengine"
author = "The refengine authors"
copyright = "The refengine authors"
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "builder.extension"]
source_suffix = {".md": "markdown"}
exclude_patterns: list[str] = []
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_block"]
smartquotes = False  # texts have options such as --list outside of code, too

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
default_role = "code"  # docstrings write code between single backticks
nitpick_ignore_regex = [
    # Types of the standard library and of parts that are no public interface have no page here to link to.
    (
        r"py:.*",
        r"(?!refengine\.[A-Z])(?!refengine\.(load_rules|parse_condition|check_condition|print_condition)$).*",
    ),
]

html_theme = "furo"
html_title = "refengine"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_last_updated_fmt = None
pygments_style = "tango"
pygments_dark_style = "github-dark"
