"""Sphinx settings."""

import os
from importlib.metadata import version as installed_version

os.environ.setdefault("MPLBACKEND", "agg")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

project = "fer2013kit"
author = "fer2013kit maintainers"
copyright = f"2026, {author}"
version = release = installed_version(project)

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
root_doc = "index"
# The gallery writes notebooks and Markdown beside its pages; only its pages are read.
exclude_patterns = ["_build", "gallery/**/*.ipynb", "gallery/**/*.md"]
templates_path = ["_templates"]
html_theme = "furo"
html_title = f"fer2013kit {release}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_show_sourcelink = False
