"""The audit of the real FER-2013, from its original pixels: skipped where it is not there."""

import pytest

import fer2013kit as fk


@pytest.fixture(scope="module")
def real_report(csv_tool):
    images, labels, usage = csv_tool.read_rows()
    train = usage == "Training"
    return fk.audit_dataset(
        fk.FER2013(
            train=fk.Split(images[train], labels[train]),
            validation=fk.Split(images[~train], labels[~train]),
        )
    )


@pytest.mark.slow
def test_known_facts_of_fer2013(real_report):
    counts = real_report.as_dict()
    assert counts["leaks"] == {"validation": 280}
    assert sum(counts["blank"].values()) == 13
    assert counts["duplicates"] == {"groups": 1274, "rows": 2807, "extra_rows": 1533}
    assert counts["conflicts"] == {"groups": 48, "rows": 131}


@pytest.mark.slow
def test_near_duplicates_of_fer2013(real_report):
    # Hashes hang on rounding, so the last few may differ from machine to machine.
    counts = real_report.as_dict()
    assert counts["near_duplicates"]["groups"] == pytest.approx(846, abs=5)
    assert counts["near_leaks"]["validation"] == pytest.approx(180, abs=3)


@pytest.mark.slow
def test_clean_fer2013(real_report):
    clean = real_report.drop_leaks()
    assert [len(split) for split in clean.splits.values()] == [28_358, 3_589]
    clean = real_report.drop_leaks(side="evaluation")
    assert [len(split) for split in clean.splits.values()] == [28_709, 3_309]
