"""The wire protocol of PaddleLabel-ML 1.0.0, row by row as it was captured from the real one."""

import base64

import numpy as np
import pytest
from PIL import Image

from tests.inference.model_server import DIGITS
from tests.inference.pictures import encoded, photo

pytestmark = pytest.mark.service

PAGE = "http://localhost:17995"  # where PaddleLabel's own page comes from
PICTURE = encoded(photo())
B64 = base64.b64encode(PICTURE).decode()


@pytest.fixture
def loaded(digits_server):
    """The server with the model loaded, as the page does before each picture."""
    assert digits_server.load().is_success
    yield digits_server
    digits_server.http.get(f"/{DIGITS}/unload")


@pytest.mark.parametrize("path", ["/running", "//running"])
def test_running(digits_server, path):
    response = digits_server.http.get(f"{digits_server.url}{path}")

    assert response.json() is True
    assert response.headers["content-type"] == "application/json"


def test_models_are_listed_with_their_labels(digits_server):
    listed = {model["name"]: model for model in digits_server.http.get("/").json()}

    assert listed[DIGITS] == {
        "name": DIGITS,
        "interactive": False,
        "task_categories": ["classification"],
        "label_names": list("0123456789"),
    }
    # The page offers this one whether it is there or not, and fails without the list.
    assert listed["PPLCNetV2"]["label_names"] == []
    assert "fetch_model" in listed["PPLCNetV2"]["description"]


def test_version_is_a_string(digits_server):
    assert isinstance(digits_server.http.get("/version").json(), str)


def test_load_predict_unload(digits_server, held_out):
    digits_server.http.get(f"/{DIGITS}/unload")
    image, value = held_out[0]

    assert digits_server.load().json() == f"Model {DIGITS} loaded"
    assert digits_server.load().json() == f"Model {DIGITS} is already loaded"
    [prediction] = digits_server.predict(image).json()["predictions"]
    assert prediction.keys() == {"label_name", "score"}
    assert prediction["label_name"] == value
    assert prediction["score"] == round(prediction["score"], 5)
    assert digits_server.http.get(f"/{DIGITS}/unload").json() == f"Model {DIGITS} unloaded!"
    assert digits_server.http.get(f"/{DIGITS}/unload").json() == f"Model {DIGITS} is not loaded!"
    assert digits_server.predict(image).status_code == 500


def test_piggyback_comes_back_and_only_when_sent(loaded):
    piggyback = {"task": 23, "names": ["苹果"], "none": None}

    assert loaded.predict(PICTURE, piggyback=piggyback).json()["piggyback"] == piggyback
    assert "piggyback" not in loaded.predict(PICTURE).json()


@pytest.mark.parametrize(
    "picture",
    [
        encoded(photo()),
        encoded(photo(), "PNG"),
        encoded(photo(), "WEBP"),
        encoded(photo(), "GIF"),
        encoded(photo(), "TIFF"),
        encoded(Image.fromarray(photo()).convert("RGBA"), "PNG"),
        encoded(Image.fromarray(photo()).convert("L")),
        encoded(Image.fromarray(photo()).convert("CMYK")),
        encoded(np.zeros((1, 1, 3), np.uint8), "PNG"),
    ],
    ids=["jpeg", "png", "webp", "gif", "tiff", "rgba", "grey", "cmyk", "1x1"],
)
def test_pictures_that_paddlelabel_ml_takes_are_taken(loaded, picture):
    response = loaded.predict(picture)

    assert response.status_code == 200, response.text
    assert len(response.json()["predictions"]) == 1


def test_predict_before_load(digits_server):
    digits_server.http.get(f"/{DIGITS}/unload")

    response = digits_server.predict(PICTURE)

    detail = f"Model {DIGITS} not loaded, call load endpoint first!"
    assert_problem(response, 500, detail)
    assert response.headers["message"] == detail


@pytest.mark.parametrize("name", ["nope", "%E7%8C%AB%0Ax", "a b"])
def test_predict_with_an_unknown_model(digits_server, name):
    response = digits_server.predict(PICTURE, name)

    assert_problem(response, 500, "not loaded, call load endpoint first!")


@pytest.mark.parametrize(("method", "action"), [("POST", "load"), ("GET", "unload")])
def test_an_unknown_model_is_not_found(digits_server, method, action):
    json = {"init_params": {}} if method == "POST" else None

    response = digits_server.http.request(method, f"/nope/{action}", json=json)

    assert_problem(response, 404, "No model named nope")


LOAD, PREDICT = f"/{DIGITS}/load", f"/{DIGITS}/predict"
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("path", "request_body", "status", "detail"),
    [
        (LOAD, {}, 400, "None is not of type 'object'"),
        (LOAD, {"content": b"[]", "headers": JSON}, 400, "[] is not of type 'object'"),
        (LOAD, {"content": b"{", "headers": JSON}, 400, "not JSON"),
        (LOAD, {"content": b"\xff", "headers": JSON}, 400, "not JSON"),
        (LOAD, {"data": {"init_params": "{}"}}, 415, "x-www-form-urlencoded"),
        (LOAD, {"json": {"init_params": []}}, 400, "is not of type 'object'"),
        (LOAD, {"json": {"init_params": {"model_path": "/etc"}}}, 400, "model_path"),
        (PREDICT, {}, 400, "None is not of type 'object'"),
        (PREDICT, {"json": {"format": "b64"}}, 400, "'img' is a required property"),
        (PREDICT, {"json": {"img": B64}}, 400, "'format' is a required property"),
        (PREDICT, {"json": {"img": 5, "format": "b64"}}, 400, "5 is not of type 'string'"),
        (PREDICT, {"json": {"img": B64, "format": "b64", "piggyback": 5}}, 400, "'object'"),
        (PREDICT, {"json": {"img": B64, "format": "url"}}, 400, "format 'url' is not known"),
        (PREDICT, {"json": {"img": "/x.jpg", "format": "path"}}, 400, "'path' is switched off"),
        (PREDICT, {"json": {"img": "abc", "format": "b64"}}, 400, "not base64"),
        (PREDICT, {"json": {"img": "图", "format": "b64"}}, 400, "image cannot be used"),
        (PREDICT, {"json": {"img": "", "format": "b64"}}, 400, "the file is empty"),
        (PREDICT, {"json": {"img": "aGVsbG8=", "format": "b64"}}, 400, "not a picture"),
        (PREDICT, {"json": {"img": f"data:x;base64,{B64}", "format": "b64"}}, 400, "'data:'"),
        ("/nowhere", {}, 404, "POST /nowhere is not offered"),
        (f"/{DIGITS}/train", {"json": {}}, 404, "is not offered"),
        (f"/{DIGITS}/unload", {}, 405, "is not offered"),
    ],
)
def test_errors_are_problems_with_a_title(loaded, path, request_body, status, detail):
    assert_problem(loaded.http.post(path, **request_body), status, detail)


def test_empty_paths_in_load_mean_the_default_model(digits_server):
    params = {"model_path": "", "param_path": ""}

    response = digits_server.http.post(LOAD, json={"init_params": params})

    assert response.status_code == 200


@pytest.mark.parametrize("action", ["load", "predict"])
def test_preflight(digits_server, action):
    response = digits_server.http.options(
        f"/{DIGITS}/{action}",
        headers={
            "Origin": PAGE,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        },
    )

    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == PAGE
    assert response.headers["Access-Control-Allow-Headers"] == "content-type"
    methods = response.headers["Access-Control-Allow-Methods"]
    assert methods == "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
    assert "Origin" in response.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in response.headers


def test_answers_and_errors_may_be_read_by_the_page(digits_server):
    for path in ("/running", "/nope/unload"):
        response = digits_server.http.get(path, headers={"Origin": PAGE})
        assert response.headers["Access-Control-Allow-Origin"] == PAGE


def assert_problem(response, status: int, detail: str) -> None:
    body = response.json()
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert detail in body["detail"]
    assert body["title"]
    assert body["status"] == status
    assert body["type"] == "about:blank"
