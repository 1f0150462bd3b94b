"""A folder for each label: ImageNet, torchvision, Keras, "ModelArts imageNet 1.0".

Of nested folders the last one is the label. Above them there may be one for each split.
"""

from collections.abc import Iterable, Iterator, Sequence

from datasets.formats import Record
from datasets.formats.reading import split_named

# PaddleLabel puts there what nobody has labeled.
_UNLABELED = frozenset({"no_annotation"})
# Folders that say only that there are images in them.
_GENERIC = frozenset({"image", "images", "img", "imgs", "data", "photos", "pictures", "jpegimages"})
_DEPTHS = (0, 1)


def read(paths: Iterable[str], *, split_depth: int | None) -> Iterator[Record]:
    """A record for each path; `split_depth` as `find_splits` gives it.

    An image in no folder, or right in that of a split, has no label.
    """
    for path in paths:
        folders = path.split("/")[:-1]
        split = ""
        if split_depth is not None and len(folders) > split_depth:
            split = split_named(folders[split_depth])
            folders = folders[split_depth + 1 :]
        label = folders[-1].strip() if folders else ""
        is_labeled = bool(label) and label.lower() not in _UNLABELED
        yield Record(path, split, (label,) if is_labeled else (), is_labeled=is_labeled)


def find_splits(paths: Sequence[str]) -> int | None:
    """How deep the folders of the splits lie, none where there are none.

    Only where all images are in such folders: one called `train` among others is about trains.
    The second level is looked at too, since archives wrap everything in a folder.
    """
    for depth in _DEPTHS:
        parts = [path.split("/")[:-1] for path in paths]
        names = {folders[depth] if len(folders) > depth else "" for folders in parts}
        words = {split_named(name) for name in names - _UNLABELED}
        if words and "" not in words:
            return depth
    return None


def labels_in(paths: Sequence[str]) -> list[str]:
    """The labels that the folders name, those apart that only say that there are images."""
    records = read(paths, split_depth=find_splits(paths))
    found = dict.fromkeys(label for record in records for label in record.labels)
    return [label for label in found if label.lower() not in _GENERIC]
