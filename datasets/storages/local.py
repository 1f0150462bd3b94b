"""Images in a folder of the server."""

import errno
import io
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from datasets.names import is_junk
from datasets.storages import (
    DeleteResult,
    Denied,
    Entry,
    Missing,
    OutsideRoot,
    StorageError,
    Unreadable,
)
from datasets.storages.levels import LOOKED_AT, Level, level_of

_COPY_BYTES = 1 << 20
_NEVER = datetime.fromtimestamp(0, UTC)


class LocalStorage:
    """Files below one folder. No key and no link leads out of it."""

    is_remote = False

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))
        self._root = os.fsencode(self.root)

    def list(self, prefix: str = "", *, after: str | None = None) -> Iterator[Entry]:
        wanted, floor = _encoded(prefix), _encoded(after or "")
        folder = wanted[: wanted.rfind(b"/") + 1]
        try:
            top = self._keys_in(b"")
        except OSError as error:
            raise _unusable(str(self.root), error) from error
        if folder:
            self._inside(os.fsdecode(folder[:-1]))
            top = iter((folder,))
        # One iterator for each folder that is open: memory grows with a folder, not with the tree.
        pending = [top]
        while pending:
            key = next(pending[-1], None)
            if key is None:
                pending.pop()
            elif not key.endswith(b"/"):
                if key > floor and key.startswith(wanted):
                    yield from self._entries(key)
            elif _can_hold(key, wanted=wanted, floor=floor):
                try:
                    pending.append(self._keys_in(key))
                except (FileNotFoundError, NotADirectoryError):
                    continue
                except OSError as error:
                    yield _problem(key, _code_of(error))

    def level(self, prefix: str = "") -> Level:
        folder = self._inside(prefix[:-1]) if prefix else self._root
        try:
            with os.scandir(folder) as found:
                looked = list(islice(found, LOOKED_AT + 1))
        except OSError as error:
            raise _unusable(prefix or str(self.root), error) from error
        folders, files = [], []
        for item in looked[:LOOKED_AT]:
            is_folder = item.is_dir(follow_symlinks=False)
            (folders if is_folder else files).append(os.fsdecode(item.name))
        return level_of(folders, files, is_cut=len(looked) > LOOKED_AT)

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> BinaryIO:
        try:
            # Opening a pipe would wait for its other end; what is no file is refused below.
            descriptor = os.open(self._inside(key), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise _reading(key, error) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise Unreadable(key, code="not-a-file")
        file = os.fdopen(descriptor, "rb")
        return file if not start and length is None else _Part(file, start=start, length=length)

    def head(self, key: str) -> Entry:
        try:
            status = os.stat(self._inside(key))
        except OSError as error:
            raise _reading(key, error) from error
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable(key, code="not-a-file")
        return _entry(key, status)

    def put(self, key: str, stream: BinaryIO, *, size: int | None = None) -> Entry:
        target = self._inside(key)
        folder = os.path.dirname(target)
        # Hidden from listings by its name, so a copy cut short never looks like an image.
        draft = os.path.join(folder, b".put-" + secrets.token_hex(8).encode())
        try:
            os.makedirs(folder, exist_ok=True)
            with open(draft, "xb") as file:
                _copy(stream, file, key=key, size=size)
                os.fsync(file.fileno())
            os.replace(draft, target)
            _sync_folder(folder)
        except OSError as error:
            raise _writing(key, error) from error
        finally:
            with suppress(OSError):
                os.unlink(draft)
        return self.head(key)

    def delete(self, keys: Iterable[str]) -> Iterator[DeleteResult]:
        for key in keys:
            try:
                os.unlink(self._beside(key))
            except FileNotFoundError:
                yield DeleteResult(key)
            except OSError as error:
                yield DeleteResult(key, _writing(key, error).code)
            except StorageError as error:
                yield DeleteResult(key, error.code)
            else:
                yield DeleteResult(key)

    def url(self, key: str, *, seconds: int = 900, download_as: str | None = None) -> None:
        """A folder has no address of its own."""

    def _inside(self, key: str) -> bytes:
        """The path of the key with every link on the way followed, refused if it leads out."""
        path = self._root
        for part in self._check_parts(key):
            path += b"/" + part
            # Two calls per level instead of realpath's dozen: links are rare, keys are many.
            if os.path.islink(path):
                return self._resolved(key)
        return path

    def _beside(self, key: str) -> bytes:
        """Where the key itself stands: its folder resolved, a link at the end not followed."""
        folder, slash, name = key.rpartition("/")
        self._check_parts(key)
        return (self._inside(folder) if slash else self._root) + b"/" + _encoded(name)

    def _resolved(self, key: str) -> bytes:
        path = os.path.realpath(self._root + b"/" + _encoded(key))
        if not self._holds(path):
            raise OutsideRoot(key)
        return path

    def _holds(self, path: bytes) -> bool:
        return path.startswith(self._root.rstrip(b"/") + b"/")

    @staticmethod
    def _check_parts(key: str) -> Sequence[bytes]:
        parts = _encoded(key).split(b"/")
        if b"\0" in parts[-1] or any(part in (b"", b".", b"..") or b"\0" in part for part in parts):
            raise OutsideRoot(key)
        return parts

    def _keys_in(self, folder: bytes) -> Iterator[bytes]:
        """Keys of what lies in the folder, in order; those of folders end in a slash."""
        path = self._root + b"/" + folder
        keys = []
        with os.scandir(path) as found:
            for item in found:
                is_folder = item.is_dir(follow_symlinks=False)
                if not is_junk(os.fsdecode(item.name), is_folder=is_folder):
                    keys.append(folder + item.name + (b"/" if is_folder else b""))
        keys.sort()
        return iter(keys)

    def _entries(self, key: bytes) -> Iterator[Entry]:
        path = self._root + b"/" + key
        try:
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                if not self._holds(os.path.realpath(path)):
                    yield _problem(key, "link-outside-root")
                    return
                status = os.stat(path)
        except FileNotFoundError:
            # A link to nothing stays; a file that was there a moment ago is gone for good.
            if os.path.islink(path):
                yield _problem(key, "link-broken")
            return
        except OSError as error:
            yield _problem(key, _code_of(error))
            return
        if stat.S_ISDIR(status.st_mode):
            yield _problem(key, "link-to-folder")
        elif not stat.S_ISREG(status.st_mode):
            yield _problem(key, "not-a-file")
        else:
            yield _entry(os.fsdecode(key), status)


class _Part(io.BufferedIOBase):
    """Some bytes of a file, as a stream that cannot seek: positions would be those of the file."""

    def __init__(self, file: BinaryIO, *, start: int, length: int | None) -> None:
        self._file = file
        self._left = length
        file.seek(start)

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = -1 if size is None else size
        if self._left is None:
            return self._file.read(wanted)
        found = self._file.read(self._left if wanted < 0 else min(wanted, self._left))
        self._left -= len(found)
        return found

    read1 = read

    def close(self) -> None:
        self._file.close()
        super().close()


def check_folder(path: str, allowed_roots: Sequence[Path]) -> Path:
    """The real path of a folder that somebody typed, inside one of the allowed roots.

    What lies outside is refused before it is looked at, so the answer does not tell what is there.
    """
    typed = path.strip()
    if not typed:
        raise Missing(path, code="no-folder")
    roots = [Path(os.path.realpath(root)) for root in allowed_roots]
    try:
        folder = Path(os.path.realpath(Path(typed).expanduser()))
    except (ValueError, RuntimeError) as error:
        # NUL in the path; a home folder that nobody has.
        raise Missing(typed, code="folder-missing") from error
    if not any(folder.is_relative_to(root) for root in roots):
        shown = ", ".join(str(root) for root in roots)
        raise OutsideRoot(typed, code="outside-allowed-roots", roots=shown)
    try:
        with os.scandir(folder):
            return folder
    except OSError as error:
        raise _unusable(typed, error) from error


def _unusable(folder: str, error: OSError) -> StorageError:
    match _code_of(error):
        case "no-access":
            return Unreadable(folder)
        case "name-taken":
            return Missing(folder, code="not-a-folder")
        case _:
            return Missing(folder, code="folder-missing")


def _can_hold(folder: bytes, *, wanted: bytes, floor: bytes) -> bool:
    """Whether keys with the wanted prefix and behind `floor` can lie in the folder."""
    on_the_way = folder.startswith(wanted) or wanted.startswith(folder)
    return on_the_way and (folder > floor or floor.startswith(folder))


def _encoded(key: str) -> bytes:
    try:
        return os.fsencode(key)
    except UnicodeEncodeError as error:
        raise OutsideRoot(key) from error


def _entry(key: str, status: os.stat_result) -> Entry:
    problem = "" if key.isascii() or _is_utf8(key) else "name-not-utf8"
    return Entry(
        key=key,
        size=status.st_size,
        etag=f"{status.st_mtime_ns:x}-{status.st_size:x}",
        modified_at=datetime.fromtimestamp(status.st_mtime, UTC),
        problem=problem,
    )


def _is_utf8(key: str) -> bool:
    # Bytes that are not UTF-8 come from the file system as lone surrogates.
    return not any("\udc80" <= character <= "\udcff" for character in key)


def _problem(key: bytes, code: str) -> Entry:
    return Entry(os.fsdecode(key), 0, "", _NEVER, code)


def _copy(source: BinaryIO, target: BinaryIO, *, key: str, size: int | None) -> None:
    received = 0
    while block := source.read(_COPY_BYTES):
        target.write(block)
        received += len(block)
    if size is not None and received != size:
        raise StorageError(key, code="incomplete", received=received, size=size)
    target.flush()


def _sync_folder(folder: bytes) -> None:
    # Without this a new name can be lost with the power although its bytes are safe.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _code_of(error: OSError) -> str:
    match error.errno:
        case errno.ENOENT:
            return "missing"
        case errno.EACCES | errno.EPERM:
            return "no-access"
        case errno.ENAMETOOLONG:
            return "name-too-long"
        case errno.ENOTDIR | errno.EISDIR | errno.EEXIST | errno.ENOTEMPTY:
            return "name-taken"
        case errno.ENOSPC | errno.EDQUOT:
            return "no-space"
        case _:
            return "storage-failed"


def _reading(key: str, error: OSError) -> StorageError:
    match code := _code_of(error):
        case "missing" | "name-taken" | "name-too-long":
            return Missing(key)
        case "no-access":
            return Unreadable(key)
        case _:
            return StorageError(key, code=code, reason=error.strerror)


def _writing(key: str, error: OSError) -> StorageError:
    code = _code_of(error)
    if code == "no-access" or error.errno == errno.EROFS:
        return Denied(key)
    return StorageError(key, code=code, reason=error.strerror)
