"""Each reader and loader, given what is nearly right: it reads, or says so in the kit's errors.

The long run is ``python tests/fuzz/run.py``; the inputs of a number are the same everywhere.
"""

import pytest
from readers import READERS, attempt


@pytest.mark.parametrize("reader", READERS)
def test_whatever_a_file_holds_the_error_is_the_kits(reader, tmp_path):
    for number in range(READERS[reader].inputs):
        try:
            attempt(reader, number, tmp_path)
        except Exception as error:
            raise AssertionError(f"{reader}, input {number}: {type(error).__name__}") from error
