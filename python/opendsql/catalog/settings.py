"""Session settings: what may be SET, what SHOW answers (skeleton)."""

from __future__ import annotations

from typing import Any


class SessionSettings:
    user = "admin"
    search_path: tuple[str, ...] = ("public",)


def settings_of(session: Any) -> SessionSettings:
    return SessionSettings()
