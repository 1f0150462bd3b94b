"""Parts samples into train, validation and test: the same way every time, label by label."""

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

SPLITS = ("train", "val", "test")


def split(
    samples: Iterable[tuple[Hashable, Sequence[str]]],
    *,
    ratios: Mapping[str, float],
    seed: int = 0,
) -> Iterator[tuple[Hashable, str]]:
    """Gives each (id, labels) one of the splits in `ratios`, whose values add up to 1.

    A sample with several labels counts for the rarest of them. Of every label, each split gets its
    share to within one image, and so it is for all of them together as nearly as that allows; the
    first image of a label goes to train, so no label is only tested. Ids are ordered by a hash of
    seed and id: the order in which they come does not matter.
    """
    shares = _shares(ratios)
    # Only ids are kept, in one list for each set of labels: a million of them is 40 MB.
    alike: dict[tuple[str, ...], list[Hashable]] = {}
    for sample, labels in samples:
        alike.setdefault(tuple(labels), []).append(sample)
    counts: Counter[str] = Counter()
    for labels, ids in alike.items():
        counts.update(dict.fromkeys(labels, len(ids)))
    groups: dict[str, list[Hashable]] = {}
    for labels, ids in alike.items():
        rarest = min(labels, key=lambda label: (counts[label], label), default="")
        groups.setdefault(rarest, []).extend(ids)
    del alike
    owed = dict.fromkeys(shares, Fraction(0))
    # Large labels last: they can make good what rounding did to many small ones.
    for label in sorted(groups, key=lambda label: (len(groups[label]), label)):
        group = sorted(groups[label], key=lambda sample: _rank(seed, sample))
        start = 0
        for name, size in _sizes(len(group), shares=shares, owed=owed).items():
            yield from ((sample, name) for sample in group[start : start + size])
            start += size


def _shares(ratios: Mapping[str, float]) -> dict[str, Fraction]:
    if unknown := set(ratios) - set(SPLITS):
        raise ValueError(f"no split is called {sorted(unknown)[0]!r}")
    # 0.7 + 0.2 + 0.1 is not 1 in binary.
    shares = {name: Fraction(ratios.get(name, 0)).limit_denominator(1_000_000) for name in SPLITS}
    if min(shares.values()) < 0 or sum(shares.values()) != 1:
        raise ValueError("the ratios must be 0 or more and add up to 1")
    return {name: share for name, share in shares.items() if share}


def _sizes(
    total: int, *, shares: Mapping[str, Fraction], owed: dict[str, Fraction]
) -> dict[str, int]:
    """How many of a label each split gets; `owed` carries what rounding cost a split so far."""
    exact = {name: share * total for name, share in shares.items()}
    sizes = {name: int(quota) for name, quota in exact.items()}
    for name, quota in exact.items():
        owed[name] += quota - sizes[name]
    rest = total - sum(sizes.values())
    # Those with a whole share have nothing to round; of the others the most indebted are first.
    open_names = [name for name in shares if exact[name] != sizes[name]]
    open_names.sort(key=lambda name: (-owed[name], SPLITS.index(name)))
    if "train" in open_names and not sizes["train"]:
        open_names.remove("train")
        open_names.insert(0, "train")
    for name in open_names[:rest]:
        sizes[name] += 1
        owed[name] -= 1
    return sizes


def _rank(seed: int, sample: Hashable) -> bytes:
    return hashlib.blake2b(f"{seed}:{sample}".encode(), digest_size=8).digest()
