import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fer2013kit.datasets import _csv_pixels


@given(
    rows=st.lists(
        st.lists(
            st.sampled_from(["0", "7", "12", "99", "100", "199", "255", "256", "299", "300", "999"])
            | st.sampled_from(
                ["1000", "007", "0255", "0256", "01000", "2550", "25500", "x", "", "-1"]
            ),
            min_size=4,
            max_size=4,
        ),
        min_size=1,
        max_size=3,
    ),
    junk=st.sampled_from([",", "3,", ",Training\n6,", "\n"]),
)
def test_tidy_pixels_are_read_at_once_as_one_by_one(rows, junk):
    """Whatever the fast parser accepts is what Python reads, and it refuses no plain row."""
    fields = [" ".join(row) for row in rows]
    text, starts, ends = junk, [], []
    for field in fields:
        starts.append(len(text))
        text += field
        ends.append(len(text))
        text += junk
    out = np.empty((len(rows), 4), np.uint8)
    done = _csv_pixels.parse_pixels(text.encode(), starts, ends, out)
    words = [field.split() for field in fields]
    good = all(
        len(row) == 4 and all(word.isdigit() and int(word) <= 255 for word in row) for row in words
    )
    assert done == good
    if good:
        assert out.tolist() == [[int(word) for word in row] for row in words]
