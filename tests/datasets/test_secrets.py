"""Keys of storages are kept encrypted, survive a change of the server's keys and never show."""

import copy
import json
import logging
import pickle
import traceback

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.template import Context, Engine

from datasets.secrets import Secret, SecretLost, decrypt, encrypt, is_current, rotated
from datasets.storages.s3_connection import Keys
from labelhub import env

TEXT = "wJalrXUtnFEMI/K7MDENG:钥匙"
OLD, NEW = "old-" + "o" * 40, "new-" + "n" * 40


def test_what_is_encrypted_comes_back():
    token = encrypt(Secret(TEXT))

    assert TEXT not in token
    assert decrypt(token).reveal() == TEXT
    assert encrypt(Secret(TEXT)) != token


def test_a_changed_token_is_lost_and_says_what_to_do():
    token = encrypt(Secret(TEXT))

    for changed in (token[:-5] + "AAAA=", "", "not a token", "ключ"):
        with pytest.raises(SecretLost, match="LABELHUB_ENCRYPTION_KEYS"):
            decrypt(changed)
        assert not is_current(changed)


def test_the_first_key_writes_and_all_of_them_read(settings):
    settings.ENCRYPTION_KEYS = [OLD]
    token = encrypt(Secret(TEXT))

    settings.ENCRYPTION_KEYS = [NEW, OLD]

    assert decrypt(token).reveal() == TEXT
    assert not is_current(token)


def test_after_rotation_the_old_key_can_go_and_nobody_enters_anything(settings):
    settings.ENCRYPTION_KEYS = [OLD]
    token = encrypt(Secret(TEXT))

    settings.ENCRYPTION_KEYS = [NEW, OLD]
    token = rotated(token)
    settings.ENCRYPTION_KEYS = [NEW]

    assert is_current(token)
    assert decrypt(token).reveal() == TEXT


def test_without_a_key_of_its_own_the_servers_secret_key_is_used(settings):
    token = encrypt(Secret(TEXT))

    settings.ENCRYPTION_KEYS = [NEW]

    assert decrypt(token).reveal() == TEXT
    assert not is_current(token)
    assert is_current(rotated(token))


def test_a_secret_key_that_was_replaced_still_reads(settings):
    token = encrypt(Secret(TEXT))

    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-" + "a" * 40
    assert decrypt(token).reveal() == TEXT

    settings.SECRET_KEY_FALLBACKS = []
    for ask in (decrypt, rotated):
        with pytest.raises(SecretLost):
            ask(token)


def test_a_key_is_not_the_key_of_anything_else(settings):
    """Who learns what signs sessions has to derive it first: the key itself opens nothing."""
    from cryptography.fernet import Fernet, InvalidToken

    settings.SECRET_KEY = Fernet.generate_key().decode()

    with pytest.raises(InvalidToken):
        Fernet(settings.SECRET_KEY).decrypt(encrypt(Secret(TEXT)))


def test_a_secret_never_shows_itself(caplog):
    secret = Secret(TEXT)
    keys = Keys(access_key="AK", secret_key=secret, session_token=secret)

    logging.getLogger("labelhub").warning("connecting with %s and %r", secret, keys)
    page = Engine().from_string("{{ secret }} {{ secret.reveal }} {{ keys }}")
    shown = [str(secret), repr(secret), f"{secret}", f"{secret!r:>40}", f"{[secret]}", repr(keys)]
    shown += [caplog.text, page.render(Context({"secret": secret, "keys": keys}))]

    assert "connecting" in caplog.text
    assert [text for text in shown if TEXT in text or TEXT[:8] in text] == []


def test_a_secret_is_not_written_by_accident():
    secret = Secret(TEXT)

    for write in (pickle.dumps, json.dumps, copy.deepcopy):
        with pytest.raises(TypeError) as refused:
            write(secret)
        assert TEXT not in "".join(traceback.format_exception(refused.value))


def test_secrets_are_equal_by_what_they_hide():
    assert Secret(TEXT) == Secret(TEXT)
    assert Secret(TEXT) != Secret("other")
    assert Secret(TEXT) != TEXT
    assert len({Secret(TEXT), Secret(TEXT), Secret("other")}) == 2
    assert Secret(TEXT)
    assert not Secret("")


def test_keys_that_are_too_short_stop_the_start_without_being_shown():
    with pytest.raises(ImproperlyConfigured) as refused:
        env.long_words(f"{NEW}, too-short-key")

    assert "too-short-key" not in str(refused.value)
    assert env.long_words(f"{NEW}, {OLD},") == [NEW, OLD]
    assert env.long_words("") == []
