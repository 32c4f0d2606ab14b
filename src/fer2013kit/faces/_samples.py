"""The photographs that ship with the kit."""

from __future__ import annotations

from pathlib import Path


def sample_photos() -> list[Path]:
    """Return the photographs that ship with the kit, in the public domain.

    Returns
    -------
    list of Path
        Files; ``README.txt`` beside them says who took them and why they are free.

    See Also
    --------
    analyze_photo : What is done with them.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> [path.name for path in fk.sample_photos()]
    ['eileen_collins.jpg', 'grace_hopper.jpg']
    """
    return sorted((Path(__file__).parent / "photographs").glob("*.jpg"))
