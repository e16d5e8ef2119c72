"""Settings of the documentation: `make docs` builds it into build/docs."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("COLUMNS", "120")  # of the commands' help

project = "nanowarm"
author = "The nanowarm developers"
project_copyright = f"2026 {author}"
version = release = importlib.metadata.version("nanowarm")
extensions = ["myst_parser", "pages.mathml", "pages.citations", "pages.made"]
exclude_patterns = ["book/*.json"]
nitpicky = True

myst_enable_extensions = ["dollarmath", "attrs_block", "colon_fence", "deflist"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

html_theme = "furo"
html_title = "nanowarm"
html_math_renderer = "mathml"
html_static_path = ["static"]
html_css_files = ["docs.css"]
html_js_files = ["pages.js"]
html_show_search_summary = False  # it would ask for other pages, which a browser refuses where these lie on a disk
html_copy_source = False
html_show_sphinx = False
html_last_updated_fmt = None
pygments_style = "a11y-high-contrast-light"  # of accessible-pygments, which the theme brings
pygments_dark_style = "a11y-high-contrast-dark"
