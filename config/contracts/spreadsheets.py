"""Which spreadsheets are taken: told by content, by the API at once and by the worker again."""

from __future__ import annotations

import re
import zipfile
from typing import BinaryIO

MAX_FILE_BYTES = 20 * 1024 * 1024
#: Students in one file.
MAX_ROWS = 100_000
#: A roster of MAX_ROWS with 15 columns unpacks to about 92 MB.
MAX_UNPACKED_BYTES = 400 * 1024 * 1024
CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_COMPOUND_FILE = bytes.fromhex("d0cf11e0a1b11ae1")
#: Excel keeps a workbook with a password as this stream of a compound file ([MS-OFFCRYPTO] 2.3.4).
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
#: Excel Online numbers it; OPC names are the same in any case.
_WORKBOOK = re.compile(r"xl/workbook\d*\.xml", re.IGNORECASE)

#: Why a file is not taken: a code for programs, a reason for a teacher.
Refusal = tuple[str, str]
EMPTY_FILE: Refusal = ("EMPTY_FILE", "빈 파일입니다. 학생 명단이 있는 파일을 올려 주세요.")
FILE_TOO_LARGE: Refusal = (
    "FILE_TOO_LARGE",
    f"파일이 너무 큽니다. {MAX_FILE_BYTES // 1024**2}MB 이하의 파일을 올려 주세요.",
)
PASSWORD_PROTECTED: Refusal = (
    "PASSWORD_PROTECTED",
    "암호가 걸린 엑셀 파일입니다. 암호를 해제하고 저장한 뒤 다시 올려 주세요.",
)
OLD_FORMAT: Refusal = (
    "OLD_FORMAT",
    "옛 엑셀 형식(.xls)입니다. 엑셀에서 .xlsx 형식으로 다시 저장하여 올려 주세요.",
)
NOT_XLSX: Refusal = (
    "NOT_XLSX",
    "엑셀(.xlsx) 파일이 아닙니다. 엑셀에서 .xlsx 형식으로 저장한 파일을 올려 주세요.",
)
DAMAGED: Refusal = (
    "DAMAGED",
    "손상된 엑셀 파일입니다. 엑셀에서 열어 다시 저장한 뒤 올려 주세요.",
)
UNPACKS_TOO_LARGE: Refusal = (
    "UNPACKS_TOO_LARGE",
    "내용이 너무 큰 엑셀 파일입니다. 명단만 새 파일에 복사하여 다시 올려 주세요.",
)


def refusal(file: BinaryIO, size_bytes: int) -> Refusal | None:
    """Return why a file is not taken, None for an .xlsx.

    What a ZIP archive says of itself may be a lie: whoever unpacks it still needs limits.
    """
    if size_bytes == 0:
        return EMPTY_FILE
    if size_bytes > MAX_FILE_BYTES:
        return FILE_TOO_LARGE
    file.seek(0)
    head = file.read(len(_COMPOUND_FILE))
    if head == _COMPOUND_FILE:
        if _ENCRYPTED in file.read():
            return PASSWORD_PROTECTED
        return OLD_FORMAT
    if not head.startswith(b"PK"):
        return NOT_XLSX
    return _archive_refusal(file)


def _archive_refusal(file: BinaryIO) -> Refusal | None:
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return DAMAGED
    if not any(_WORKBOOK.fullmatch(entry.filename) for entry in entries):
        return NOT_XLSX
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        return UNPACKS_TOO_LARGE
    return None
