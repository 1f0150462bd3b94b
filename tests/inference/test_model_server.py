"""The model server as a process: right answers, whatever happens to its prediction processes."""

import http.client
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from inference.server import openmp, options
from inference.server.main import serve
from tests import needs
from tests.inference.model_server import DIGITS, DIGITS_DIR, ModelServer
from tests.inference.pictures import KNOWN_ANSWERS, encoded, photo, png_header
from tests.services.processes import wait_until

pytestmark = pytest.mark.service

FIXED_ANSWERS = 1e-4  # scores of a batch and of a single image differ in the last of 5 decimals


@pytest.fixture(scope="module")
def real_server(tmp_path_factory):
    model_dir = needs.weights()
    log = tmp_path_factory.mktemp("real-server") / "log"
    server = ModelServer(model_dir, "--processes", 2, log=log)
    yield server.ready()
    server.stop()


def test_known_photos_have_the_known_answers(real_server):
    pictures = needs.sample_pictures()

    answers = {name: real_server.best(read(pictures, name), "PPLCNetV2") for name in KNOWN_ANSWERS}

    assert {name: label.split(",")[0] for name, (label, _) in answers.items()} == {
        name: label for name, (label, _) in KNOWN_ANSWERS.items()
    }
    assert {name: score for name, (_, score) in answers.items()} == pytest.approx(
        {name: score for name, (_, score) in KNOWN_ANSWERS.items()}, abs=0.001
    )


def test_eight_threads_with_known_photos_do_not_mix(real_server):
    pictures = {name: read(needs.sample_pictures(), name) for name in KNOWN_ANSWERS}
    expected = {name: real_server.best(picture, "PPLCNetV2") for name, picture in pictures.items()}

    def ask(name: str) -> bool:
        return real_server.best(pictures[name], "PPLCNetV2") == expected[name]

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, list(KNOWN_ANSWERS) * 6))


def test_eight_threads_with_digits_do_not_mix(digits_server, held_out):
    images = [image for image, _ in held_out[:40]]
    expected = [digits_server.best(image) for image in images]
    assert len(set(expected)) > 30

    def ask(number: int) -> bool:
        return digits_server.best(images[number % 40]) == expected[number % 40]

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(240)))


def test_eight_threads_with_batches_and_predictions_do_not_mix(digits_server, held_out):
    digits_server.load()
    images = [image for image, _ in held_out[:24]]
    expected = [digits_server.best(image) for image in images]

    def ask(number: int) -> None:
        start = number % 16
        if number % 2:
            body = digits_server.predict(images[start]).json()
            assert [tuple(body["predictions"][0].values())] == expected[start : start + 1]
            return
        count = number % 7 + 1
        results = digits_server.classify_batch(images[start : start + count]).json()["results"]
        for result, (label, score) in zip(results, expected[start : start + count], strict=True):
            assert result["labels"][0]["label_name"] == label
            assert result["labels"][0]["score"] == pytest.approx(score, abs=FIXED_ANSWERS)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ask, range(120)))


def test_classify_says_which_model_and_numbers_made_the_scores(digits_server, held_out):
    body = digits_server.classify(held_out[0][0], top_k=3).json()

    assert (body["model"], body["numeric_mode"]) == (DIGITS, "fp32-onednn")
    scores = [label["score"] for label in body["results"][0]["labels"]]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)


def test_top_k_beyond_the_labels_gives_all_of_them(digits_server, held_out):
    labels = digits_server.classify(held_out[0][0], top_k=1000).json()["results"][0]["labels"]

    assert {label["label_name"] for label in labels} == set("0123456789")
    assert sum(label["score"] for label in labels) == pytest.approx(1, abs=1e-3)


def test_a_bad_image_in_a_batch_does_not_fail_the_others(digits_server, held_out):
    images = [image for image, _ in held_out[:20]]
    images[3], images[11] = b"not a picture", encoded(photo())[:-900]
    expected = [value for _, value in held_out[:20]]

    results = digits_server.classify_batch(images).json()["results"]

    assert "not a picture" in results[3]["error"]["reason"]
    assert "truncated JPEG" in results[11]["error"]["reason"]
    good = [number for number in range(20) if number not in (3, 11)]
    right = [results[number]["labels"][0]["label_name"] == expected[number] for number in good]
    assert sum(right) >= 16


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (b"", "the file is empty"),
        (b"<svg/>", "not a picture"),
        (png_header(65_536, 65_536), "over the limit of 100 megapixels"),
        (png_header(10_001, 10_001), "10001 x 10001 pixels is over the limit of 100 megapixels"),
        (encoded(photo())[:3_000], "truncated JPEG"),
    ],
)
def test_a_single_bad_image_is_a_400_with_its_reason(digits_server, image, reason):
    alone, in_multipart = digits_server.classify(image), digits_server.classify_batch([image])

    assert (alone.status_code, in_multipart.status_code) == (400, 400)
    assert reason in alone.json()["detail"]
    assert reason in in_multipart.json()["title"]


@pytest.mark.parametrize(
    ("query", "request_body", "status", "detail"),
    [
        ("?top_k=0", {"content": b"x"}, 400, "top_k"),
        ("?top_k=many", {"content": b"x"}, 400, "top_k"),
        ("", {"content": b"x"}, 415, "multipart/form-data"),
        ("", {"json": {"images": []}}, 415, "multipart/form-data"),
        ("", {"files": [("image", b"x")] * 65}, 400, "65 images"),
        ("", {"headers": {"Content-Type": "multipart/form-data"}}, 400, "no boundary"),
        (
            "",
            {
                "content": b"--b\r\n\r\nhalf",
                "headers": {"Content-Type": "multipart/form-data; boundary=b"},
            },
            400,
            "cut off",
        ),
    ],
)
def test_a_wrong_request_is_refused_with_its_reason(
    digits_server, query, request_body, status, detail
):
    response = digits_server.http.post(f"/{DIGITS}/classify{query}", **request_body)

    assert response.status_code == status
    assert detail in response.json()["detail"]


def test_a_body_over_the_limit_is_refused_before_it_is_read(digits_server):
    connection = http.client.HTTPConnection("127.0.0.1", digits_server.port, timeout=10)
    connection.putrequest("POST", f"/{DIGITS}/classify")
    connection.putheader("Content-Type", "image/jpeg")
    connection.putheader("Content-Length", "100000001")
    connection.endheaders()

    assert connection.getresponse().status == 413
    connection.close()


def test_a_killed_process_is_replaced_and_its_request_answered(start_server, held_out):
    server = start_server(DIGITS_DIR, "--processes", 1).ready()
    expected = server.best(held_out[5][0])
    [victim] = server.pids()
    os.kill(victim, signal.SIGSTOP)  # so that it is sure to die in the middle of the request

    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(server.best, held_out[5][0])
        server.until(lambda: server.states() == {"busy"}, what="The request is under way")
        os.kill(victim, signal.SIGKILL)

        assert answer.result(60) == expected
    assert server.pids() != [victim]


def test_a_process_killed_while_idle_is_replaced(digits_server, held_out):
    before = digits_server.pids()
    expected = digits_server.best(held_out[7][0])

    os.kill(before[0], signal.SIGKILL)

    assert digits_server.best(held_out[7][0]) == expected
    digits_server.until(lambda: before[0] not in digits_server.pids(), what="It is replaced")
    digits_server.ready()
    assert before[1] in digits_server.pids()


def test_a_hung_process_is_replaced_and_the_front_keeps_answering(start_server, held_out, tmp_path):
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    allowed = ["--path-roots", tmp_path, "--max-body-bytes", 100_000]
    server = start_server(DIGITS_DIR, "--processes", 1, "--timeout", 15, *allowed).ready()
    expected = server.best(held_out[5][0])
    [hung] = server.pids()
    os.kill(hung, signal.SIGSTOP)

    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(server.classify, held_out[5][0])
        server.until(lambda: server.states() == {"busy"}, what="The request is under way")
        assert server.http.get("/running").json() is True
        assert answer.result(60).status_code == 504

    assert "15 s" in answer.result().json()["detail"]
    server.ready()
    assert server.best(held_out[5][0]) == expected
    assert not is_running(hung)
    assert_paths_are_read_below_the_root_only(server, held_out[5], tmp_path)
    assert_a_stream_over_the_limit_is_refused(server)
    assert_sigterm_ends_everything(server, held_out[5][0])


def assert_paths_are_read_below_the_root_only(server, sample, root: Path) -> None:
    image, value = sample
    (root / "a b.png").write_bytes(image)
    (root / "link.png").symlink_to("/etc/hostname")
    server.load()

    def predict(name: str):
        body = {"img": name, "format": "path"}
        return server.http.post(f"/{DIGITS}/predict", json=body)

    assert predict(f"{root}/a b.png").json()["predictions"][0]["label_name"] == value
    for name, reason in {
        "/etc/hostname": "outside the folders",
        f"{root}/link.png": "outside the folders",
        f"{root}/../{root.name}x": "No such file",
        f"{root}/pipe": "is not a file",
        f"{root}": "Is a directory",
    }.items():
        assert predict(name).status_code == 400
        assert reason in predict(name).json()["detail"], name


def assert_a_stream_over_the_limit_is_refused(server) -> None:
    response = server.http.post(
        f"/{DIGITS}/classify",
        content=(bytes(10_000) for _ in range(11)),
        headers={"Content-Type": "image/png"},
    )
    assert response.status_code == 413


def assert_sigterm_ends_everything(server, image: bytes) -> None:
    family = descendants(server.process.popen.pid)
    os.kill(server.pids()[0], signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        under_way = threads.submit(server.classify, image)
        server.until(lambda: server.states() == {"busy"}, what="The request is under way")
        assert server.stop_cleanly() == 0
        assert under_way.result().status_code == 503
        assert "is stopping" in under_way.result().json()["detail"]
    assert [pid for pid in family if is_running(pid)] == []
    assert "Traceback" not in server.process.printed()


def test_no_process_outlives_a_server_that_is_killed(start_server):
    server = start_server(DIGITS_DIR, "--processes", 2)
    server.until(lambda: len(server.health().get("processes", [])) == 2, what="Both are started")
    family = descendants(server.process.popen.pid)
    assert len(family) >= 2

    os.kill(server.process.popen.pid, signal.SIGKILL)  # it alone, not its group
    server.process.popen.wait()

    wait_until(
        lambda: not any(is_running(pid) for pid in family), seconds=10, what="They have ended"
    )


def test_without_weights_it_says_what_is_missing_and_takes_them_later(
    start_server, tmp_path, held_out
):
    model_dir = tmp_path / "models"
    server = start_server(model_dir, "--processes", 1).ready()
    image = held_out[0][0]

    refused = [server.load("PPLCNetV2"), server.predict(image, "PPLCNetV2")]
    refused.append(server.classify(image, "PPLCNetV2"))
    [model] = server.health()["models"]
    shutil.copytree(DIGITS_DIR / DIGITS, model_dir / "PPLCNetV2")
    added = server.load("PPLCNetV2")
    answer = server.best(image, "PPLCNetV2")

    for response in refused:
        assert response.status_code == 503
        assert "PPLCNetV2/inference.pdiparams" in response.json()["title"]
        assert "python manage.py fetch_model" in response.json()["detail"]
    assert model["state"] == "missing"
    assert str(model_dir / "PPLCNetV2/labels.txt") in model["missing"]
    assert "fetch_model" in server.process.printed()
    assert added.status_code == 200
    assert answer[0] == held_out[0][1]
    assert_a_damaged_file_is_named(server, model_dir / "PPLCNetV2", image)


def assert_a_damaged_file_is_named(server, path: Path, image: bytes) -> None:
    weights = path / "inference.pdiparams"
    whole = weights.read_bytes()
    description = (path / "model.json").read_text()
    # As if another, damaged model had been put in its place: the description has changed too.
    (path / "model.json").write_text(description.replace('"labels.txt": "', '"labels.txt": "0'))
    weights.write_bytes(whole[:-1] + b"?")

    response = server.classify(image, "PPLCNetV2")

    assert response.status_code == 503
    assert f"{weights} is damaged" in response.json()["detail"]
    weights.write_bytes(whole)
    (path / "model.json").write_text(description)
    assert server.classify(image, "PPLCNetV2").status_code == 200


def test_a_machine_without_paddle_is_told_so(start_server, tmp_path, held_out):
    (tmp_path / "paddle.py").write_text("raise ImportError('no Paddle on this machine')")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    server = start_server(DIGITS_DIR, "--processes", 1, env=env)
    server.until(lambda: server.states() == {"failed"}, what="The process has failed")

    response = server.classify(held_out[0][0])

    assert response.status_code == 503
    assert "no Paddle on this machine" in response.json()["detail"]
    assert server.http.get("/running").json() is True


def test_openmp_that_the_system_lacks_is_found_in_the_package(monkeypatch):
    monkeypatch.setattr(openmp, "GNU_OPENMP", "libgomp-that-is-lacking.so.1")
    monkeypatch.setenv("LD_LIBRARY_PATH", "")
    load = [sys.executable, "-c", f"import ctypes; ctypes.CDLL('{openmp.GNU_OPENMP}')"]
    assert subprocess.run(load, stderr=subprocess.DEVNULL).returncode != 0

    with openmp.found_by_children():
        assert subprocess.run(load).returncode == 0


def test_a_port_in_use_costs_one_line(digits_server, capsys):
    code = serve(model_dir=DIGITS_DIR, port=digits_server.port)

    printed = capsys.readouterr()
    assert code == 1
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert f"port {digits_server.port} is in use" in printed.err
    assert "LABELHUB_MODEL_SERVER_PORT" in printed.err


@pytest.mark.parametrize(
    ("flags", "accepted"), [("avx2 avx512_bf16", True), ("amx_bf16", True), ("avx2 avx512f", False)]
)
def test_bf16_is_refused_where_the_processor_has_none(tmp_path, flags, accepted):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor : 0\nflags\t\t: fpu {flags}\n")
    wanted = options.Options(model_dir=DIGITS_DIR, numeric_mode="bf16")

    if accepted:
        options.check(wanted, cpuinfo=cpuinfo)
    else:
        with pytest.raises(options.OptionError, match="LABELHUB_MODEL_NUMERIC_MODE"):
            options.check(wanted, cpuinfo=cpuinfo)


def read(folder: Path, name: str) -> bytes:
    return (folder / name).read_bytes()


def is_running(pid: int) -> bool:
    """Not gone, and not a zombie that nobody has fetched yet."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def descendants(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [pid for child in map(int, children) for pid in (child, *descendants(child))]
