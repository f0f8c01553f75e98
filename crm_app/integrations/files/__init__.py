"""Where files lie, attached or exported: the port, a folder of this machine, a bucket of an S3-compatible store."""

from crm_app.integrations.files.chosen import attached, bucket, exported, files, use
from crm_app.integrations.files.local import FolderFiles
from crm_app.integrations.files.port import Files, FilesRefused, Kept, key_of
from crm_app.integrations.files.s3 import BucketFiles

__all__ = [
    "BucketFiles",
    "Files",
    "FilesRefused",
    "FolderFiles",
    "Kept",
    "attached",
    "bucket",
    "exported",
    "files",
    "key_of",
    "use",
]
