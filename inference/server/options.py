"""What the model server can be told, checked once at start."""

import os
from dataclasses import dataclass
from pathlib import Path

FP32 = "fp32"
BF16 = "bf16"
# Images that are predicted together. The only batch sizes are 1 and this (classifier.py).
BUCKET = 8
BF16_CPU_FLAGS = {"avx512_bf16", "amx_bf16"}


class OptionError(ValueError):
    """A setting that the server cannot start with; the sentence names the setting."""


@dataclass(frozen=True)
class Options:
    """Times in seconds, sizes in bytes. Plain values, so that prediction processes receive it."""

    model_dir: Path
    host: str = "127.0.0.1"
    port: int = 1234
    processes: int = 0  # 0: as many as cores
    numeric_mode: str = FP32
    # A prediction process that has not answered by then is taken for hung, killed and replaced.
    timeout: float = 60.0
    # The PaddleLabel page sends a PNG of the full-size photo in base64: tens of MB for 12 MP.
    max_body_bytes: int = 100_000_000
    max_pixels: int = 100_000_000
    max_images: int = 64
    # The PaddleLabel page calls from its own origin, whatever that is.
    cors_origins: tuple[str, ...] = ("*",)
    # Folders below which predict may read `"format": "path"`; none: that format is refused.
    path_roots: tuple[Path, ...] = ()

    @property
    def engine(self) -> str:
        """The numeric mode that is stored with every score: "fp32-onednn" or "bf16-onednn"."""
        return f"{self.numeric_mode}-onednn"

    @property
    def process_count(self) -> int:
        return self.processes or len(os.sched_getaffinity(0))


def check(options: Options, *, cpuinfo: Path = Path("/proc/cpuinfo")) -> None:
    """Refuse what cannot work, before anything is started."""
    if options.processes < 0:
        raise OptionError("LABELHUB_MODEL_PROCESSES must be 0 (as many as cores) or more")
    if options.timeout <= 0:
        raise OptionError("the timeout of a prediction must be more than 0 seconds")
    if options.numeric_mode not in (FP32, BF16):
        raise OptionError(
            f"LABELHUB_MODEL_NUMERIC_MODE is {options.numeric_mode!r}; write 'fp32' or 'bf16'"
        )
    if options.numeric_mode == BF16 and not cpu_has_bf16(cpuinfo):
        raise OptionError(
            "LABELHUB_MODEL_NUMERIC_MODE is 'bf16', but this processor has neither avx512_bf16 "
            "nor amx_bf16 (/proc/cpuinfo); set it to 'fp32'"
        )


def cpu_has_bf16(cpuinfo: Path) -> bool:
    """Without these instructions bf16 is emulated: slower than fp32, and less exact."""
    for line in cpuinfo.read_text().splitlines():
        if line.startswith("flags"):
            return not BF16_CPU_FLAGS.isdisjoint(line.split())
    return False
