"""Sphinx settings."""

import os
import re
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "agg")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

project = "fer2013kit"
author = "fer2013kit maintainers"
copyright = f"2026, {author}"
version = release = installed_version(project)

extensions = [
    "matplotlib.sphinxext.plot_directive",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "generated", "gallery/**/*.ipynb", "gallery/**/*.md"]
templates_path = ["_templates"]
nitpick_ignore_regex = [
    # Names of other libraries stay plain text: their indexes would have to be downloaded.
    ("py:.*", r"(json|keras|matplotlib|numpy|pandas|sklearn|tensorflow)\..*"),
    # A dataclass's fields stand in its Parameters section, which holds no targets for links.
    ("py:attr", ".*"),
]

autodoc_typehints = "none"  # numpydoc's sections say the types, for people
autodoc_member_order = "bysource"
numpydoc_show_class_members = False  # the class template lists the members itself
numpydoc_validation_checks = {"GL03", "PR01", "PR02", "PR03", "RT01", "RT03", "SS03", "YD01"}
numpydoc_validation_exclude = {
    # Python's own words for a named tuple's fields
    r"\.(FaceBox\.(left|top|width|height)|HeadPose\.(roll|yaw|pitch))$",
    r"\.EmotionPredictor$",  # it is made by its class methods
    r"\.Emotion$",  # an enumeration is not constructed by its parameters
    r"\.typing\.(Classifier|Detector)$",  # nor is a protocol
    r"\.FaceAugmentation\.(call|compute_output_shape|get_config)$",  # Keras says what they take
}
copybutton_exclude = ".linenos, .gp, .go"

plot_formats = [("png", 100)]
plot_html_show_formats = False
plot_html_show_source_link = False
plot_include_source = True

NOTEBOOKS_BEGIN = """\
# Where the kit is missing, as on Colab, this installs it; its wheel, uploaded, does as well:
# %pip install -q fer2013kit-*.whl
import importlib.util

if importlib.util.find_spec("fer2013kit") is None:
    %pip install -q "fer2013kit[export,video]"
%matplotlib inline
"""

sphinx_gallery_conf = {
    "backreferences_dir": "generated/backreferences",  # which example uses which name
    "doc_module": ("fer2013kit",),
    "examples_dirs": str(Path(__file__).parents[1] / "examples"),
    "gallery_dirs": "gallery",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "first_notebook_cell": NOTEBOOKS_BEGIN,
    "ignore_pattern": r"^(?!plot_)",  # a page of its own shows the study
    "image_srcset": ["2x"],  # sharp on phones, too
    "min_reported_time": 1,
    "parallel": 2,  # programs at once
    "plot_gallery": True,
    "remove_config_comments": True,
    "reset_modules": ("matplotlib",),
    "within_subsection_order": "FileNameSortKey",
}

html_theme = "furo"
html_title = f"fer2013kit {release}"
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["accessible.css"]
html_js_files = [("accessible.js", {"defer": "defer"})]


INNER = {"get_metadata_routing", "score", "set_output"}


def skip_routing(app, what, name, obj, skip, options):  # noqa: ANN001, ANN201, ARG001, PLR0917 - Sphinx calls it so
    """Leave out what scikit-learn adds to the classifier, and what serves the classifier itself."""
    routing = name.startswith("set_") and name.endswith("_request")
    return skip or routing or name in INNER


def read_as_text(app, ctx, lines):  # noqa: ANN001, ANN201, ARG001 - sphinx-click calls it so
    """Make the help of a command, which is written for a terminal, reStructuredText."""
    text = re.sub(r"^(\| Example: )(.+)", r"\1`\2`", "\n".join(lines), flags=re.MULTILINE)
    parts = text.replace("``", "`").split("`")
    parts[::2] = [outside.replace("*", r"\*") for outside in parts[::2]]
    lines[:] = "``".join(parts).split("\n")


sys.path.insert(0, str(Path(__file__).parent))
import model_figures  # noqa: E402 - it lies beside this file
import performance_figures  # noqa: E402 - the same
import photograph_figures  # noqa: E402 - the same

model_figures.write(Path(__file__).parent / "generated" / "model_figures.rst")
model_figures.write_table(
    Path(__file__).parent / "generated" / "model_table.rst",
    Path(__file__).parent / "results" / "exports.csv",
)
photograph_figures.write(Path(__file__).parent / "generated")
performance_figures.write(
    Path(__file__).parents[1] / "benchmarks" / "results" / "latest.json",
    Path(__file__).parent / "generated" / "performance_table.rst",
)


def setup(app):  # noqa: ANN001, ANN201 - the same
    """Connect the above."""
    app.connect("autodoc-skip-member", skip_routing)
    for part in ("description", "options", "epilog"):
        app.connect(f"sphinx-click-process-{part}", read_as_text)
