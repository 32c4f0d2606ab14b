"""The command line, where its program is not on the path: ``python -m fer2013kit``."""

from fer2013kit.cli import main

if __name__ == "__main__":
    main()
