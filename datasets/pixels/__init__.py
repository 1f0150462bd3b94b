"""What is in an image file: its verdict from the header, and renderings for the screen.

No setting, no storage, no row: bytes go in, facts and pixels come out.
"""

from datasets.pixels.opening import BadImage, Limits
from datasets.pixels.probing import Probe, probe
from datasets.pixels.rendering import Rendition, display, is_browser_safe, is_plain, thumbnail
from datasets.pixels.signatures import MEDIA_TYPES, sniff

__all__ = [
    "MEDIA_TYPES",
    "BadImage",
    "Limits",
    "Probe",
    "Rendition",
    "display",
    "is_browser_safe",
    "is_plain",
    "probe",
    "sniff",
    "thumbnail",
]
