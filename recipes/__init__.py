"""How the shipped weights were trained, each with one command; see README.md beside this file."""
