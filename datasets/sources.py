"""Where the images of a new job come from. What a person may choose is checked before, at the gate
(datasets/access.py); folders of the server are open to everybody who makes jobs."""

from dataclasses import dataclass

from annotators.models import User
from datasets import services
from datasets.models import Dataset, Storage


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A folder of the server, below LABELHUB_IMAGE_ROOTS."""

    path: str


@dataclass(frozen=True, slots=True)
class StorageSource:
    """A folder in a storage; all of it without a prefix."""

    storage: Storage
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class DatasetSource:
    """Images that other jobs have: they are shared, labels are not."""

    dataset: Dataset


@dataclass(frozen=True, slots=True)
class UploadSource:
    """Nothing yet: people upload it."""


Source = FolderSource | StorageSource | DatasetSource | UploadSource


def dataset_for(source: Source, *, name: str, by: User | None) -> Dataset:
    """The dataset of a job; `name` is for one that is made for it alone."""
    match source:
        case FolderSource(path):
            return services.dataset_of_folder(path, by=by)
        case StorageSource(storage, prefix):
            return services.dataset_of(storage, prefix=prefix, by=by)
        case DatasetSource(dataset):
            return dataset
        case UploadSource():
            return services.dataset_of_uploads(name, by=by)
