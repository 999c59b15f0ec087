"""The whole knowledge as a static site, which opens from disk and loads nothing from elsewhere."""

from torchlore.book.site import book_files
from torchlore.book.write import NotABook, write_book

__all__ = ["NotABook", "book_files", "write_book"]
