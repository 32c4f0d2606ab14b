"""The version; both distributions, fer2013kit and fer2013kit-light, take theirs from here."""

__version__ = "0.1.0"
