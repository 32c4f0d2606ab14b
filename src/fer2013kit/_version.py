"""The version, read from the installed package so that it stands in pyproject.toml alone."""

from importlib.metadata import version

__version__ = version("fer2013kit")
