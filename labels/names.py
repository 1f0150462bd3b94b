"""The rule for names of labels, and the name that a foreign one would get under it.

1 to 1,024 characters: letters and digits of any script, `-` and `_`.
"""

import unicodedata

MAX_LENGTH = 1_024
_FALLBACK = "label"


def clean_label_name(raw: str) -> str:
    """The name as it is compared and stored: composed (NFC), without blanks around it."""
    return unicodedata.normalize("NFC", raw).strip()


def is_valid(name: str) -> bool:
    """Whether a cleaned name keeps the rule."""
    return 1 <= len(name) <= MAX_LENGTH and not bad_characters(name)


def bad_characters(name: str) -> str:
    """The characters of the name that may not be in it, each once, in the order they occur."""
    bad = dict.fromkeys(character for character in name if not _is_allowed(character))
    if name and _is_mark(name[0]):
        # Alone it would stand on whatever comes before it on the page.
        bad[name[0]] = None
    return "".join(bad)


def suggest(raw: str) -> str:
    """A valid name made from any text; a valid one stays as it is.

    Models name a class by all its synonyms ("candle, taper, wax light"): the first is taken.
    Different texts can get the same name, so the caller has to look whether it is taken.
    """
    name = clean_label_name(raw)
    if is_valid(name):
        return name
    name = clean_label_name(name.split(", ")[0]) or name
    # An apostrophe parts no words: "carpenter's kit" is carpenters_kit.
    name = name.replace("'", "").replace("’", "")
    name = "".join(character if _is_allowed(character) else " " for character in name)
    name = "_".join(name.split()).strip("_")
    while name and _is_mark(name[0]):
        name = name[1:]
    return unicodedata.normalize("NFC", name[:MAX_LENGTH]) or _FALLBACK


def _is_allowed(character: str) -> bool:
    category = unicodedata.category(character)
    return character in "-_" or category == "Nd" or category[0] in "LM"


def _is_mark(character: str) -> bool:
    """Vowels of Hindi, Thai or Arabic are marks: part of a word, never the start of one."""
    return unicodedata.category(character)[0] == "M"
