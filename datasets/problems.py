"""Why a file, folder or archive could not be taken, in words for the person who gave it.

Codes are stored and sent; the words are made when somebody reads them, in their language.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from datasets.names import readable

_MESSAGES = {
    # Images
    "empty-file": _("The file is empty (0 bytes). Copy or upload it again."),
    "not-an-image": _("This is not an image, whatever its name says."),
    "truncated": _(
        "The image is cut off: its end is missing. Copy or upload it again from the original."
    ),
    "unreadable": _(
        "The %(format)s image is damaged or of a variant that cannot be read. Open it in an image "
        "editor and save it as JPEG or PNG."
    ),
    "too-many-pixels": _(
        "The image is too large: %(width)s × %(height)s is %(megapixels)s megapixels, at most "
        "%(limit)s are allowed. Make it smaller, or ask the administrator to raise the limit."
    ),
    "too-large-file": _(
        "The file is too large: %(megabytes)s MB, at most %(limit)s MB are allowed. Make it "
        "smaller, or ask the administrator to raise the limit."
    ),
    "format-not-supported": _(
        "%(format)s files cannot be labeled here. Save it as JPEG or PNG and add that."
    ),
    "wrong-extension": _("The name ends in %(suffix)s, yet this is a %(format)s image."),
    "no-label-file": _("There is no label file of this format. Choose another, or name the file."),
    "no-labels-found": _(
        "Nothing here says which labels the images have, so they came in without. Their labels can "
        "be added later: choose the folder in “Add data”."
    ),
    "image-not-found": _("The label file names this image, yet there is none of this name."),
    "same-bytes": _("The same picture is there already, as %(other)s. Both are kept."),
    "several-frames": _("The file holds several pictures; only the first is shown and labeled."),
    # Storage
    "missing": _("There is no such file."),
    "no-access": _("The server may not read it. Give the account that runs LabelHub access."),
    "not-a-file": _("This is not an ordinary file."),
    "outside-root": _("The path leads out of the folder that holds the images."),
    "link-outside-root": _(
        "This is a link to a place outside the folder that holds the images. Put the file itself "
        "there."
    ),
    "link-broken": _("This is a link to something that is not there."),
    "link-to-folder": _(
        "This is a link to a folder; links to folders are not followed. Put the folder itself "
        "there, or add the one it leads to."
    ),
    "name-not-utf8": _("The name is not valid UTF-8. Rename the file."),
    "name-too-long": _(
        "The name is too long: a file name may have 255 bytes, a path with all its folders 1,024 "
        "characters. Rename it."
    ),
    "name-taken": _("A file and a folder cannot have the same name."),
    "name-taken-by-other": _(
        "Another file has this name already; it was not replaced. Rename the file and add it again."
    ),
    "read-only": _("The server may not write or delete there."),
    "no-space": _("The disk of the server is full. Free some space and try again."),
    "incomplete": _("%(received)s bytes arrived instead of %(size)s. Upload the file once more."),
    "storage-failed": _("The storage answered with an error: %(reason)s"),
    # Storages in a network
    "endpoint-invalid": _(
        "This is not the address of a storage. Write it like https://s3.example.com, without the "
        "bucket and without a path."
    ),
    "endpoint-unknown": _(
        "There is no machine of this name. Look for a typing error in the endpoint, and try path "
        "addressing if it is right."
    ),
    "endpoint-refused": _(
        "This address (%(address)s) belongs to the server itself or to its surroundings, and may "
        "not be used as a storage. If it is right, ask the administrator to allow it "
        "(LABELHUB_STORAGE_ADDRESSES)."
    ),
    "endpoint-unreachable": _(
        "Nothing answers at the endpoint. Check its port, and whether a firewall stands between."
    ),
    "endpoint-redirects": _(
        "The endpoint sends on to another address, which is not followed. Write the address that "
        "it sends to as the endpoint."
    ),
    "not-s3": _(
        "What answers there does not speak S3. Check the endpoint: its port, and whether it starts "
        "with http or https. The address of a web console is not it."
    ),
    "tls-failed": _(
        "No safe connection: the certificate is not trusted, is out of date or is for another "
        "name. Ask the operator of the storage, or the administrator to trust the certificate "
        "(LABELHUB_STORAGE_CA_FILE)."
    ),
    "tls-not-spoken": _(
        "The endpoint does not speak https at this port. Check the port, or write http:// if the "
        "storage has no https."
    ),
    "storage-timeout": _("The storage did not answer in time. Try again later."),
    "connection-lost": _("The connection to the storage broke off. Try again."),
    "storage-busy": _(
        "The storage is overloaded and asks for patience. Try again in some minutes."
    ),
    "storage-broken": _(
        "The storage has an internal fault (%(reason)s). Try again later; if it stays, ask its "
        "operator."
    ),
    "wrong-access-key": _("The storage does not know this access key. Copy it once more."),
    "wrong-secret-key": _(
        "The secret key does not fit the access key. Copy both once more, without spaces."
    ),
    "expired-credentials": _(
        "The temporary keys are no longer valid, or the session token is not theirs. Enter new "
        "ones."
    ),
    "no-credentials": _(
        "No keys were given, and the server has none of its own. Enter an access key and a secret "
        "key."
    ),
    "clock-skew": _(
        "The clock of the server is wrong, so the storage refuses what it signs. Ask the "
        "administrator to set it."
    ),
    "bucket-missing": _("There is no such bucket. Check its name, the endpoint and the region."),
    "bucket-name-invalid": _(
        "This cannot be the name of a bucket: those have 3 to 63 lower-case letters, digits, dots "
        "and hyphens."
    ),
    "region-invalid": _(
        "This cannot be the name of a region: those have letters, digits and hyphens."
    ),
    "wrong-region": _("The bucket is in another region. Enter the region that it was made in."),
    "wrong-region-named": _("The bucket is in another region. Enter %(region)s as region."),
    "virtual-addressing-needed": _(
        "The storage wants the bucket in the name of the machine. Choose virtual addressing."
    ),
    "list-denied": _(
        "These keys may not list the bucket. Ask its owner for the permission (s3:ListBucket)."
    ),
    "read-denied": _(
        "These keys may not read this object. Ask the owner of the bucket for the permission "
        "(s3:GetObject)."
    ),
    "write-denied": _(
        "These keys may not write to the bucket. Ask its owner for the permission (s3:PutObject), "
        "or use it for reading only."
    ),
    "delete-denied": _(
        "These keys may not delete this object, or it is protected against deletion. Ask the owner "
        "of the bucket for the permission (s3:DeleteObject)."
    ),
    "object-archived": _(
        "The object is in an archive and must be restored in the storage before it can be read."
    ),
    "quota-exceeded": _("The storage or the bucket is full. Ask its owner for more room."),
    "changed-since-taken": _(
        "The file was replaced since it was taken in. Look at the new one, then delete it again."
    ),
    "changed-while-read": _("The object was replaced while it was read. Try again."),
    "not-confirmed": _("The storage did not say whether it deleted the object. Try again."),
    "probe-differs": _(
        "The storage gave back other bytes than were written. Something between this server and "
        "the storage changes them."
    ),
    "probe-left": _("The test file could not be removed. Delete it in the storage."),
    "key-not-a-path": _(
        "The name has a part that is “.” or “..”, or ends with a slash: no file has such a name. "
        "Rename the object."
    ),
    "listing-stuck": _(
        "The storage said that there are more objects but does not list them. Ask its operator."
    ),
    "listing-unordered": _(
        "The storage does not list its objects in the order of their names, so they cannot be read "
        "page by page."
    ),
    "secret-lost": _(
        "The keys of this storage cannot be decrypted any more. Enter them once more, or ask the "
        "administrator to give the former key (LABELHUB_ENCRYPTION_KEYS)."
    ),
    # Folders that people type
    "no-folder": _("Give the path of a folder."),
    "folder-missing": _("There is no such folder on the server."),
    "not-a-folder": _("This is a file, not a folder."),
    "outside-allowed-roots": _(
        "Images may not be taken from this folder. Choose one inside %(roots)s, or ask the "
        "administrator to allow it (LABELHUB_IMAGE_ROOTS)."
    ),
    # Archives
    "not-a-zip": _("This is not a zip archive."),
    "damaged-archive": _("The zip archive is damaged or incomplete. Upload it once more."),
    "empty-archive": _("There is no file in the zip archive."),
    "too-many-members": _(
        "There are too many files in the zip archive: at most %(limit)s are allowed. Split it."
    ),
    "archive-too-large": _(
        "The files in the zip archive are too large together: %(megabytes)s MB, at most %(limit)s "
        "MB are allowed. Split it."
    ),
    "unsafe-name": _("The path leads out of the folder it belongs in. Nothing was stored."),
    "link-in-archive": _("This is a link or a device. Archives may hold files and folders only."),
    "encrypted": _("The file is protected by a password. Make the zip archive without one."),
    "compression-not-supported": _(
        "The file is packed in a way that cannot be read. Make the zip archive anew, with the "
        "ordinary compression."
    ),
    "compression-bomb": _("The file would unpack to %(ratio)s times its size; that is no picture."),
    "damaged-member": _("The file is damaged inside the zip archive. Make the archive anew."),
    "duplicate-member": _("The archive holds this name twice; the first one was taken."),
    "junk-left-out": _(
        "Left out: files that systems leave behind, such as Thumbs.db (%(number)s of them)."
    ),
    "nested-archive": _("Archives inside an archive are not unpacked. Upload it on its own."),
    # Label files: the whole file, then single lines of it
    "not-text": _(
        "This is not a text file, so no labels can be read from it. Choose the label file."
    ),
    "not-a-list": _(
        "This is not a list of images: its lines do not have a path and the number of a label. "
        "Choose another file or another format."
    ),
    "not-a-manifest": _(
        "This is not a manifest of ModelArts: its lines are no JSON with a source. Choose another "
        "file or another format."
    ),
    "not-label-studio": _(
        "This is not an export of Label Studio: a list of tasks with an image each. In Label "
        "Studio, export as JSON."
    ),
    "not-metadata": _(
        "This is not the metadata of an imagefolder: its lines are no JSON with a file_name. "
        "Choose another file or another format."
    ),
    "table-without-path": _(
        "No column of the table names the images. The columns are: %(columns)s. Call one of them "
        "“path”."
    ),
    "table-without-labels": _(
        "No column of the table has the labels. The columns are: %(columns)s. Call one of them "
        "“label”."
    ),
    "too-many-classes": _(
        "The list of classes has more than %(limit)s lines. Check whether it is the right file."
    ),
    "line-too-long": _(
        "Line %(line)s is longer than %(limit)s bytes and was left out. Break it up."
    ),
    "line-encoding": _(
        "Line %(line)s is neither UTF-8 nor GB18030 and was left out. Save the file as UTF-8."
    ),
    "line-not-json": _(
        "Line %(line)s is not a JSON object and was left out. Write one object on each line."
    ),
    "line-without-source": _(
        "Line %(line)s has no source, so it belongs to no image. Add the address of the image."
    ),
    "line-without-file-name": _(
        "Line %(line)s has no file_name, so it belongs to no image. Add the path of the image."
    ),
    "line-without-path": _(
        "Line %(line)s does not say which image it is about. Add the path of the image."
    ),
    "line-path-unusable": _(
        "Line %(line)s: no image can be called %(path)s. A path has at most 1,024 characters and "
        "no control characters."
    ),
    "line-label-unusable": _(
        "Line %(line)s: no label can be called %(label)s. A label has at most 1,024 characters "
        "and no null characters."
    ),
    "line-too-many-labels": _(
        "Line %(line)s gives one image more than %(limit)s labels. Check whether they are all "
        "meant."
    ),
    "line-without-index": _(
        "Line %(line)s is not a path with the number of a label behind it. Part the two with a "
        "blank or a tab."
    ),
    "line-index-unknown": _(
        "Line %(line)s names class %(index)s, but the list of classes has only %(classes)s, "
        "counted from 0. Check whether the two files belong together."
    ),
    "line-columns-differ": _(
        "Line %(line)s has %(columns)s columns, but the list of classes has %(classes)s. Check "
        "whether the two files belong together."
    ),
    "line-too-few-cells": _(
        "Line %(line)s has only %(cells)s cells and was left out. Give it as many as the header "
        "has."
    ),
    "line-quote-open": _(
        "Line %(line)s has a quotation mark that is not closed, and was left out. Close it, or "
        "double it inside a cell."
    ),
    "line-other-annotation": _(
        "Line %(line)s has an annotation of the type %(type)s, which was left out: only image "
        "classification is read."
    ),
    "line-annotation-without-name": _(
        "Line %(line)s has an annotation without a name, which was left out. Add the name of the "
        "label."
    ),
    "task-without-image": _(
        "Task %(line)s has no image and was left out. Only tasks with images can be labeled here."
    ),
    "entry-damaged": _(
        "The file is damaged from entry %(line)s on; what stands before it was read. Export the "
        "file once more."
    ),
    "text-too-long": _(
        "The text has more than %(limit)s characters; that is no list of labels. Write one label "
        "on each line."
    ),
    "text-has-boxes": _(
        "Line %(line)s has the corners of a box, not a label. Texts of object detection cannot be "
        "read."
    ),
}


class _Params(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        # A stored problem can be older than the words for it.
        return "…"


def describe(code: str, params: Mapping[str, Any] | None = None) -> str:
    """What happened and what to do, begun with the name of the item where `params` has one."""
    given = _Params(
        {
            name: readable(value) if isinstance(value, str) else value
            for name, value in (params or {}).items()
        }
    )
    text = str(_MESSAGES[code]) % given if code in _MESSAGES else code
    return f"{given['item']}: {text}" if given.get("item") else text


def codes() -> frozenset[str]:
    """Every code that there are words for."""
    return frozenset(_MESSAGES)


def megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f}".removesuffix(".0")
