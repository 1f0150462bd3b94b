"""Makes the small model that tests serve: PP-LCNetV2 on scikit-learn's handwritten digits.

    python -m inference.server.train_digits tests/fixtures/digits/Digits

The architecture is PaddleClas' own at a quarter of the width, one block per stage, without the
branches that only training has: 0.5 MB. It takes about a minute on two cores. Needs the packages of
requirements-dev.txt and requirements-paddleclas.txt. Run in its own process: it imports Paddle.
"""

import sys
from pathlib import Path

import numpy as np
import paddle
from paddleclas.ppcls.arch.backbone.legendary_models import pp_lcnet_v2

from inference.server import digits, folder, pixels

SIZE = 32  # pixels; the digits are 8 x 8
MEAN, STD = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
FEATURES = 256  # PaddleClas: 1280, which alone would be 1.3 MB
EPOCHS = 14
BATCH = 32
LEARNING_RATE = 3e-3
LARGEST_SHIFT = 1  # pixels of SIZE, in training
SEED = 2


class WithSoftmax(paddle.nn.Layer):
    """What is served: probabilities, not logits."""

    def __init__(self, network: paddle.nn.Layer) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: paddle.Tensor) -> paddle.Tensor:
        return paddle.nn.functional.softmax(self.network(pictures), axis=-1)


def main(target: Path) -> None:
    paddle.seed(SEED)
    pictures, held_out, values, held_out_values = digits.split()
    network = _network()
    _train(network, _inputs(pictures), values)
    network.eval()
    guesses = network(paddle.to_tensor(_inputs(held_out))).argmax(axis=1).numpy()
    print(f"Accuracy on {len(held_out)} held-out digits: {(guesses == held_out_values).mean():.4f}")
    _export(network, target)


def _network() -> paddle.nn.Layer:
    # Fourth field of a stage: its blocks have extra branches that training fuses later.
    for stage, fields in pp_lcnet_v2.NET_CONFIG.items():
        pp_lcnet_v2.NET_CONFIG[stage] = [*fields[:3], False, *fields[4:]]
    return pp_lcnet_v2.PPLCNetV2(
        scale=0.25, depths=[1, 1, 1, 1], class_num=10, class_expand=FEATURES
    )


def _inputs(pictures: np.ndarray) -> np.ndarray:
    """Through the same code as at prediction: float32 (n, 3, SIZE, SIZE)."""
    inputs = np.empty((len(pictures), 3, SIZE, SIZE), np.float32)
    tables = pixels.normalise_tables(MEAN, STD)
    for slot, picture in zip(inputs, pictures, strict=True):
        image = pixels.decode(digits.as_png(picture), max_pixels=picture.size)
        crop = pixels.resize_and_crop(image, resize_short=SIZE, size=SIZE)
        pixels.normalise_into(slot, crop, tables)
    return inputs


def _train(network: paddle.nn.Layer, inputs: np.ndarray, values: np.ndarray) -> None:
    steps = EPOCHS * (len(inputs) // BATCH)
    rate = paddle.optimizer.lr.CosineAnnealingDecay(LEARNING_RATE, T_max=steps)
    optimizer = paddle.optimizer.AdamW(rate, parameters=network.parameters(), weight_decay=0.02)
    order = np.random.default_rng(SEED)
    network.train()
    for epoch in range(EPOCHS):
        shuffled = order.permutation(len(inputs))
        for start in range(0, len(inputs) - BATCH + 1, BATCH):
            chosen = shuffled[start : start + BATCH]
            shift = tuple(order.integers(-LARGEST_SHIFT, LARGEST_SHIFT + 1, size=2))
            shifted = np.roll(inputs[chosen], shift, axis=(2, 3))  # the borders are empty
            logits = network(paddle.to_tensor(shifted))
            loss = paddle.nn.functional.cross_entropy(logits, paddle.to_tensor(values[chosen]))
            loss.backward()
            optimizer.step()
            optimizer.clear_grad()
            rate.step()
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {float(loss):.3f}", flush=True)


def _export(network: paddle.nn.Layer, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    served = WithSoftmax(network)
    served.eval()
    spec = [paddle.static.InputSpec([None, 3, SIZE, SIZE], "float32", name="x")]
    static = paddle.jit.to_static(served, input_spec=spec, full_graph=True)
    paddle.jit.save(static, str(target / "inference"))
    labels = "".join(f"{digit} {digit}\n" for digit in range(10))
    (target / folder.LABELS).write_text(labels, encoding="utf-8")
    folder.describe(
        target,
        name=target.name,
        input_size=SIZE,
        resize_short=SIZE,
        mean=MEAN,
        std=STD,
        source="inference/server/train_digits.py, on scikit-learn's digits (UCI, CC BY 4.0)",
        licence="Apache-2.0",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
