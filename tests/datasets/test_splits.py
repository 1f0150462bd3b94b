from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.splits import SPLITS, split

RATIOS = {"train": 0.7, "val": 0.2, "test": 0.1}


def one_label(counts: dict[str, int]) -> list[tuple[int, tuple[str]]]:
    labels = [label for label, count in counts.items() for _ in range(count)]
    return [(number, (label,)) for number, label in enumerate(labels)]


def test_counts_follow_the_ratios():
    parts = Counter(dict(split(one_label({"cat": 50, "dog": 50}), ratios=RATIOS)).values())

    assert parts == {"train": 70, "val": 20, "test": 10}


def test_the_same_samples_are_split_the_same_way_in_any_order():
    samples = one_label({"cat": 30, "dog": 41})

    once = dict(split(samples, ratios=RATIOS, seed=7))

    assert dict(split(reversed(samples), ratios=RATIOS, seed=7)) == once
    assert dict(split(samples, ratios=RATIOS, seed=8)) != once


@given(
    counts=st.dictionaries(st.text("abcdefgh", min_size=1), st.integers(1, 40), max_size=12),
    tenths=st.tuples(st.integers(0, 10), st.integers(0, 10)).filter(lambda pair: sum(pair) <= 10),
)
def test_every_label_is_split_exactly_to_within_one(counts, tenths):
    shares = (*tenths, 10 - sum(tenths))
    ratios = {name: share / 10 for name, share in zip(SPLITS, shares, strict=True)}
    samples = one_label(counts)

    parts = dict(split(samples, ratios=ratios))

    assert parts.keys() == {sample for sample, _labels in samples}
    found = Counter((label, parts[sample]) for sample, (label,) in samples)
    for label, count in counts.items():
        for name, share in zip(SPLITS, shares, strict=True):
            assert abs(found[label, name] - Fraction(share, 10) * count) < 1
        if shares[0]:
            assert found[label, "train"] >= 1


@pytest.mark.parametrize("each", [2, 3, 7])
def test_rounding_of_many_small_labels_evens_out(each):
    samples = one_label({f"label-{number}": each for number in range(100)})

    parts = Counter(dict(split(samples, ratios=RATIOS)).values())

    for name, ratio in RATIOS.items():
        assert abs(parts[name] - ratio * 100 * each) <= 1


def test_the_only_image_of_a_label_is_trained_on():
    samples = one_label({f"label-{number}": 1 for number in range(20)})

    assert set(dict(split(samples, ratios={"train": 0.1, "val": 0.9})).values()) == {"train"}


def test_samples_with_several_labels_count_for_the_rarest():
    common = [(f"common-{number}", ("animal",)) for number in range(80)]
    rare = [(f"rare-{number}", ("animal", "lynx")) for number in range(10)]

    parts = dict(split(common + rare, ratios={"train": 0.8, "val": 0.2}))

    assert Counter(parts[sample] for sample, _labels in rare) == {"train": 8, "val": 2}
    assert Counter(parts.values()) == {"train": 72, "val": 18}


def test_samples_without_labels_are_split_too():
    parts = dict(split([(number, ()) for number in range(10)], ratios={"train": 0.5, "val": 0.5}))

    assert Counter(parts.values()) == {"train": 5, "val": 5}


@pytest.mark.parametrize(
    "ratios", [{"train": 0.5}, {"train": 1.5, "val": -0.5}, {}, {"train": 0.5, "dev": 0.5}]
)
def test_ratios_that_are_no_parts_of_a_whole_are_refused(ratios):
    with pytest.raises(ValueError, match="ratios|split"):
        list(split(one_label({"cat": 3}), ratios=ratios))


def test_ratios_that_add_up_only_in_decimals_are_taken():
    assert len(list(split(one_label({"cat": 3}), ratios={"train": 0.7, "val": 0.1, "test": 0.2})))
