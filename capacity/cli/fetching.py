"""Commands about the store: fetch, status, export."""

from __future__ import annotations
