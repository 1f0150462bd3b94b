"""The folder of one model: `<model_dir>/<name>/`.

inference.pdmodel or inference.json   the graph (Paddle 2 or 3), ending in softmax
inference.pdiparams                   its weights
labels.txt                            one line per class, "<class id> <name>", in id order
model.json                            name, input size, mean, std, SHA-256 of the files, source
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

DESCRIPTION = "model.json"
WEIGHTS = "inference.pdiparams"
GRAPHS = ("inference.pdmodel", "inference.json")
LABELS = "labels.txt"
# Listed even where its weights are not installed, so that a page can say what is missing.
EXPECTED = "PPLCNetV2"
HOW_TO_ADD = "python manage.py fetch_model"


class ModelFolderError(ValueError):
    """A model folder that cannot be served; the sentence names the file."""


@dataclass(frozen=True)
class ModelFolder:
    """What model.json says. `mean` and `std` are of RGB values scaled to 0..1."""

    name: str
    input_size: int  # pixels, square
    resize_short: int  # pixels of the short side before the centre crop
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    files: dict[str, str]  # file name -> SHA-256
    source: str
    licence: str

    @property
    def graph(self) -> str:
        return next(name for name in GRAPHS if name in self.files)

    @property
    def revision(self) -> str:
        """Changes when any file does."""
        return hashlib.sha256(json.dumps(self.files, sort_keys=True).encode()).hexdigest()[:16]


def describe(path: Path, **fields: object) -> ModelFolder:
    """Write model.json for the files that lie in `path`; `fields` are all but `files`."""
    names = [name for name in (*GRAPHS, WEIGHTS, LABELS) if (path / name).is_file()]
    model = ModelFolder(files={name: sha256(path / name) for name in names}, **fields)
    (path / DESCRIPTION).write_text(json.dumps(asdict(model), indent=2) + "\n", encoding="utf-8")
    return model


def read(path: Path) -> ModelFolder:
    """The description of an installed model; raises ModelFolderError naming what is wrong."""
    description = path / DESCRIPTION
    try:
        fields = json.loads(description.read_text(encoding="utf-8"))
        model = ModelFolder(
            **{**fields, "mean": tuple(fields["mean"]), "std": tuple(fields["std"])}
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelFolderError(f"{description} cannot be read: {error}") from error
    if not {WEIGHTS, LABELS} <= model.files.keys() or not set(GRAPHS) & model.files.keys():
        raise ModelFolderError(f"{description} does not list a graph, {WEIGHTS} and {LABELS}")
    return model


def verify(path: Path, model: ModelFolder) -> None:
    """Compare every file with its SHA-256 (27 MB of weights: about 20 ms)."""
    for name, expected in model.files.items():
        try:
            found = sha256(path / name)
        except OSError as error:
            raise ModelFolderError(f"{path / name} cannot be read: {error.strerror}") from error
        if found != expected:
            raise ModelFolderError(
                f"{path / name} is damaged: its SHA-256 is not the one in {DESCRIPTION}; "
                f"install the model again ({HOW_TO_ADD})"
            )


def missing(model_dir: Path, name: str) -> list[Path]:
    """The files that the model lacks; empty when all are there."""
    path = model_dir / name
    lacking = [
        path / part for part in (WEIGHTS, LABELS, DESCRIPTION) if not (path / part).is_file()
    ]
    if not any((path / graph).is_file() for graph in GRAPHS):
        lacking.insert(0, path / GRAPHS[0])
    return lacking


def installed(model_dir: Path) -> list[str]:
    """Names of the models that lie in `model_dir` with all their files."""
    if not model_dir.is_dir():
        return []
    names = [path.name for path in model_dir.iterdir() if not path.name.startswith(".")]
    return sorted(name for name in names if not missing(model_dir, name))


def label_names(path: Path) -> list[str]:
    """Class names by class id, from lines "<id> <name>"."""
    lines = (path / LABELS).read_text(encoding="utf-8").splitlines()
    pairs = [line.split(" ", 1) for line in lines if line.strip()]
    if any(len(pair) != 2 or pair[0] != str(index) for index, pair in enumerate(pairs)):
        raise ModelFolderError(f"{path / LABELS} is not a list of lines '<class id> <name>'")
    return [name.strip() for _, name in pairs]


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
