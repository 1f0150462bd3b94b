"""Theme and language of the page, for every template."""

from django.http import HttpRequest
from django.utils.translation import get_language

THEME_COOKIE = "labelhub_theme"
THEMES = ("system", "light", "dark")
# What <html lang> says: browsers choose Chinese glyphs by it.
HTML_LANGUAGES = {"zh-hans": "zh-CN"}


def appearance(request: HttpRequest) -> dict[str, str]:
    theme = request.COOKIES.get(THEME_COOKIE, "system")
    language = get_language() or "en"
    return {
        "theme": theme if theme in THEMES else "system",
        "html_language": HTML_LANGUAGES.get(language, language),
    }
