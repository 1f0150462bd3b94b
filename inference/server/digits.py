"""scikit-learn's handwritten digits as pictures, for the small model that tests serve."""

import cv2
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HELD_OUT = 360  # of 1797; never trained on


def split() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training pictures and held-out pictures (uint8, n x 8 x 8), then the digits of each."""
    digits = load_digits()
    pictures = np.minimum(digits.images * 16, 255).astype(np.uint8)
    return tuple(
        train_test_split(
            pictures, digits.target, test_size=HELD_OUT, random_state=0, stratify=digits.target
        )
    )


def as_png(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()
