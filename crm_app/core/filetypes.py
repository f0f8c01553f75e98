"""What a file is, told by how it begins and not by its name: names lie."""

import re
from dataclasses import dataclass

HEAD = 64 * 1024  # bytes from the beginning that `detect` wants to see


@dataclass(frozen=True, slots=True)
class FileType:
    """`endings` are the names that fit; `preview` is how a browser may show it ("image", "pdf"), empty for not at all.
    Whatever has no preview is only ever handed out to be saved."""

    name: str
    label: str
    media_type: str = "application/octet-stream"
    endings: frozenset[str] = frozenset()
    preview: str = ""
    is_program: bool = False


def _type(
    name: str, label: str, endings: str = "", media_type: str = "", *, preview: str = "", is_program: bool = False
) -> FileType:
    known = media_type or "application/octet-stream"
    return FileType(name, label, known, frozenset(endings.split()), preview, is_program)


PNG = _type("png", "PNG image", "png", "image/png", preview="image")
JPEG = _type("jpeg", "JPEG image", "jpg jpeg jpe jfif", "image/jpeg", preview="image")
GIF = _type("gif", "GIF image", "gif", "image/gif", preview="image")
WEBP = _type("webp", "WebP image", "webp", "image/webp", preview="image")
AVIF = _type("avif", "AVIF image", "avif", "image/avif", preview="image")
PDF = _type("pdf", "PDF", "pdf", "application/pdf", preview="pdf")
ZIP = _type("zip", "ZIP archive", "zip", "application/zip")
OOXML = _type("ooxml", "Office document", "docx xlsx pptx docm xlsm pptm dotx xltx potx ppsx vsdx")
ODF = _type("odf", "OpenDocument file", "odt ods odp odg ott ots otp")
OLE = _type("ole", "Office document (before 2007)", "doc xls ppt msg vsd mpp dot xlt pps")
PLAIN = _type("text", "text", "txt csv tsv md json yaml yml log eml ics vcf ini rst tex srt", "text/plain")
XML = _type("xml", "XML", "xml xsd xsl kml gpx drawio")
HTML = _type("html", "HTML", "html htm xhtml mhtml")
SVG = _type("svg", "SVG drawing", "svg")
PROGRAM = _type("program", "program", is_program=True)
UNKNOWN = _type("unknown", "file")

# Where, which bytes, what it is then. The first that fits counts.
_SIGNATURES: tuple[tuple[int, bytes, FileType], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", PNG),
    (0, b"\xff\xd8\xff", JPEG),
    (0, b"GIF87a", GIF),
    (0, b"GIF89a", GIF),
    (8, b"WEBP", WEBP),
    (4, b"ftypavif", AVIF),
    (4, b"ftypheic", _type("heic", "HEIC image", "heic heif")),
    (4, b"ftypmif1", _type("heif", "HEIF image", "heic heif avif")),
    (0, b"BM", _type("bmp", "BMP image", "bmp dib")),
    (0, b"II*\x00", _type("tiff", "TIFF image", "tif tiff dng nef cr2 arw")),
    (0, b"MM\x00*", _type("tiff", "TIFF image", "tif tiff dng nef")),
    (0, b"%PDF-", PDF),
    (0, b"{\\rtf", _type("rtf", "RTF document", "rtf doc")),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (0, b"7z\xbc\xaf\x27\x1c", _type("7z", "7-Zip archive", "7z")),
    (0, b"Rar!\x1a\x07", _type("rar", "RAR archive", "rar")),
    (0, b"\x1f\x8b", _type("gzip", "GZIP archive", "gz tgz svgz emz")),
    (0, b"BZh", _type("bzip2", "BZIP2 archive", "bz2 tbz2")),
    (0, b"\xfd7zXZ\x00", _type("xz", "XZ archive", "xz txz")),
    (257, b"ustar", _type("tar", "TAR archive", "tar")),
    (0, b"ID3", _type("mp3", "MP3 sound", "mp3")),
    (8, b"WAVE", _type("wav", "WAV sound", "wav")),
    (8, b"AVI ", _type("avi", "AVI film", "avi")),
    (0, b"OggS", _type("ogg", "OGG sound", "ogg oga ogv opus")),
    (0, b"fLaC", _type("flac", "FLAC sound", "flac")),
    (4, b"ftyp", _type("mp4", "MP4 film", "mp4 m4a m4v mov 3gp qt")),
    (0, b"\x1a\x45\xdf\xa3", _type("matroska", "Matroska film", "webm mkv mka")),
    (0, b"MZ", PROGRAM),
    (0, b"\x7fELF", PROGRAM),
    (0, b"\xfe\xed\xfa", PROGRAM),
    (0, b"\xcf\xfa\xed\xfe", PROGRAM),
    (0, b"\xce\xfa\xed\xfe", PROGRAM),
    (0, b"\xca\xfe\xba\xbe", PROGRAM),
    (0, b"dex\n", PROGRAM),
    (0, b"!<arch>", PROGRAM),
    (0, b"L\x00\x00\x00\x01\x14\x02\x00", PROGRAM),
    (0, b"#!", PROGRAM),
)
_TEXTS = (PLAIN, XML, HTML, SVG)
_KNOWN = tuple(dict.fromkeys([*(t for _, _, t in _SIGNATURES), ZIP, OOXML, ODF, *_TEXTS]))
# What a double click would run, whatever is inside.
PROGRAM_ENDINGS = frozenset(
    "exe dll scr com pif bat cmd msi msp msix appx ps1 psm1 vbs vbe js jse mjs wsf wsh hta cpl jar lnk url scf reg sh"
    " bash command app dmg pkg deb rpm apk ipa iso img vhd vhdx gadget inf desktop xll chm".split()
)
_MARKUP = re.compile(
    rb"<(!doctype html|html|head|script|iframe|body|style|title|table|div|font|img|h1|a|b|br|p)[\s>/]|<!--",
    re.IGNORECASE,
)  # as browsers look for it: https://mimesniff.spec.whatwg.org/#identifying-a-resource-with-an-unknown-mime-type


def detect(head: bytes) -> FileType:
    """What a file is that begins like this; give it HEAD bytes, or all there are."""
    if head[:4] == b"PK\x03\x04" or head[:4] == b"PK\x05\x06":
        return _zipped(head)
    for at, mark, found in _SIGNATURES:
        if head[at : at + len(mark)] == mark and not (at == 8 and head[:4] != b"RIFF"):
            return found
    return _written(head)


def _zipped(head: bytes) -> FileType:
    if b"mimetypeapplication/vnd.oasis.opendocument" in head[:120]:
        return ODF
    return OOXML if b"[Content_Types].xml" in head else ZIP


def _written(head: bytes) -> FileType:
    text = _decoded(head)
    if text is None:
        return UNKNOWN
    start = text.lstrip("\ufeff \t\r\n\f")[:4096].encode()
    if re.match(
        rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!doctype svg[^>]*>\s*)?<svg[\s>]", start, re.IGNORECASE | re.DOTALL
    ):
        return SVG
    if _MARKUP.match(start) or re.match(rb"<\?xml[^>]*>\s*<(!doctype )?html", start, re.IGNORECASE):
        return HTML
    return XML if start.startswith(b"<?xml") else PLAIN


def _decoded(head: bytes) -> str | None:
    """As text, if it is any: UTF-8, UTF-16 with its mark, or one byte a character without control characters."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return head[: len(head) // 2 * 2].decode("utf-16", errors="ignore")
    if b"\x00" in head:
        return None
    if any(c < 32 and c not in b"\t\n\r\f\x1b" for c in head):
        return None
    try:
        return head.decode()
    except UnicodeDecodeError as error:
        if error.start >= len(head) - 4:  # a character that the cut went through
            return head[: error.start].decode()
        return head.decode("latin-1")


def ending_of(name: str) -> str:
    """Lower case, without the dot; empty for none."""
    stem, dot, ending = name.rpartition(".")
    return ending.strip().lower() if dot and stem else ""


def objection(name: str, found: FileType) -> str:
    """Why a file of this name with that content is not taken; empty when it is."""
    ending = ending_of(name)
    if found.is_program or ending in PROGRAM_ENDINGS:
        return f"{name} is a program. Programs are not kept here; put it into a ZIP archive if it must be"
    claimed = [t for t in _KNOWN if ending in t.endings]
    if not claimed or found in claimed:
        return ""
    if found in _TEXTS and any(t in _TEXTS for t in claimed):
        return ""  # text by any other name; it is never shown as a page
    if found is ZIP and OOXML in claimed:  # written in an order of its own; handed out to be saved either way
        return ""
    what = "nothing that can be read as such" if found is UNKNOWN else found.label
    return f"{name} is called {claimed[0].label}, but its content is {what}. Give it the name it should have"


_BY_NAME = {t.name: t for t in (*_KNOWN, UNKNOWN)}


def of_name(name: str) -> FileType:
    """The type as it was stored; what is not known any more is some file."""
    return _BY_NAME.get(name, UNKNOWN)
