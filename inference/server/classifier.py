"""One model in memory: pictures in, labels with scores out. Runs in a prediction process only.

Batches have one of two fixed sizes, because Paddle keeps buffers for every size that it has seen
and memory would grow with the variety (paddlepaddle 3.3.1 with oneDNN).
"""

from pathlib import Path

import numpy as np
import paddle.inference

from inference.server import folder, pixels
from inference.server.options import BF16, BUCKET

# Measured on fp32: a batch of 8 costs as much as 5.6 to 6.3 single ones. Fewer go one by one.
WORTH_A_BUCKET = 6


class Classifier:
    """A predictor and the buffer of its input, float32 RGB (BUCKET, 3, size, size)."""

    def __init__(self, path: Path, *, numeric_mode: str, max_pixels: int) -> None:
        self.model = folder.read(path)
        folder.verify(path, self.model)
        self.label_names = folder.label_names(path)
        self.max_pixels = max_pixels
        self.tables = pixels.normalise_tables(self.model.mean, self.model.std)
        size = self.model.input_size
        self.input = np.zeros((BUCKET, 3, size, size), np.float32)
        self.predictor = _create_predictor(path, self.model, numeric_mode)
        self._warm_up()

    def read(self, data: bytes | memoryview, slot: int) -> None:
        """Put one picture into the input buffer; raises pixels.BadImage."""
        image = pixels.decode(data, max_pixels=self.max_pixels)
        crop = pixels.resize_and_crop(
            image, resize_short=self.model.resize_short, size=self.model.input_size
        )
        pixels.normalise_into(self.input[slot], crop, self.tables)

    def scores(self, count: int) -> np.ndarray:
        """Softmax of the first `count` pictures in the buffer, float32 (count, classes)."""
        if count >= WORTH_A_BUCKET:
            return self._run(self.input)[:count]
        return np.concatenate([self._run(self.input[slot : slot + 1]) for slot in range(count)])

    def top(self, scores: np.ndarray, top_k: int) -> list[dict[str, str | float]]:
        """The best labels of one picture, best first; scores to 5 decimals as PaddleLabel-ML."""
        best = np.argsort(-scores, kind="stable")[:top_k]
        return [
            {"label_name": self.label_names[index], "score": round(float(scores[index]), 5)}
            for index in best
        ]

    def _run(self, batch: np.ndarray) -> np.ndarray:
        handle = self.predictor.get_input_handle(self.predictor.get_input_names()[0])
        handle.reshape(batch.shape)
        handle.copy_from_cpu(batch)
        self.predictor.run()
        return self.predictor.get_output_handle(self.predictor.get_output_names()[0]).copy_to_cpu()

    def _warm_up(self) -> None:
        """Build what oneDNN builds at the first batch of a size, and check the number of labels."""
        self._run(self.input)
        classes = self._run(self.input[:1]).shape[1]
        if classes != len(self.label_names):
            raise folder.ModelFolderError(
                f"{self.model.name} has {classes} classes, but {folder.LABELS} names "
                f"{len(self.label_names)}"
            )


def _create_predictor(
    path: Path, model: folder.ModelFolder, numeric_mode: str
) -> paddle.inference.Predictor:
    config = paddle.inference.Config(str(path / model.graph), str(path / folder.WEIGHTS))
    config.disable_gpu()
    config.disable_glog_info()
    config.set_cpu_math_library_num_threads(1)
    config.enable_mkldnn()
    config.set_mkldnn_cache_capacity(10)
    if numeric_mode == BF16:
        config.enable_mkldnn_bfloat16()
    config.enable_memory_optim()
    if model.graph.endswith(".json"):
        # Without these two, memory_optim raises "Not find predictor_id" for a Paddle 3 graph.
        config.enable_new_ir(True)
        config.enable_new_executor(True)
    return paddle.inference.create_predictor(config)
