"""What PaddleClas itself makes of picture files: run in a process of its own, as it imports Paddle.

python paddleclas_pixels.py FOLDER OUT.npz: under each file name the cropped picture (uint8 RGB) and
what the network is given (float32), by the operators of PaddleClas' inference_cls.yaml.
"""

import sys
from pathlib import Path

import numpy as np
from paddleclas.deploy.python.preprocess import create_operators

CROP = [
    {"DecodeImage": {"to_rgb": True, "channel_first": False}},
    {"ResizeImage": {"resize_short": 256}},
    {"CropImage": {"size": 224}},
]
NORMALISE = [
    {
        "NormalizeImage": {
            "scale": 0.00392157,
            "mean": [0.485, 0.456, 0.406],
            "std": [0.229, 0.224, 0.225],
            "order": "",
        }
    },
    {"ToCHWImage": None},
]


def apply(operators: list, value: bytes | np.ndarray) -> np.ndarray:
    for operator in create_operators(operators):
        value = operator(value)
    return value


if __name__ == "__main__":
    arrays = {}
    for path in Path(sys.argv[1]).iterdir():
        crop = apply(CROP, path.read_bytes())
        arrays[path.name] = crop
        arrays[f"{path.name} normalised"] = apply(NORMALISE, crop)
    np.savez(sys.argv[2], **arrays)
