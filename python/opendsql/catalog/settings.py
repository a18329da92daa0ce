"""Session settings: SET, RESET, SHOW, set_config, and the settings a connection starts with.

    settings = settings_of(session)
    settings.set("search_path", ["a", "b"]);  settings.get("search_path");  settings.search_path

A change inside a transaction is undone when the transaction fails or rolls back; SET LOCAL also when it commits: the
gateway calls end_transaction(committed) after every transaction.

Invariants
  G1  only settings marked settable change; everything else is 0A000, known or not.
  G2  settings_id is equal for two sessions exactly when every setting a plan depends on is.
"""

from __future__ import annotations

import re
import zoneinfo
from typing import Any

from opendsql.catalog.names import quote_ident
from opendsql.catalog.result import PyResult
from opendsql.catalog.settings_table import PLAN_SETTINGS, REPORTED, SETTINGS, Setting
from opendsql.errors import DsqlError, unsupported

_TRUE = ("on", "true", "yes", "1", "t", "tr", "tru", "y", "ye")
_FALSE = ("off", "false", "no", "0", "f", "fa", "fal", "fals", "n", "of")
_STYLES = {"iso": "ISO", "sql": "SQL", "postgres": "Postgres", "german": "German"}
_ORDERS = {
    "mdy": "MDY", "us": "MDY", "noneuropean": "MDY", "noneuro": "MDY", "dmy": "DMY", "european": "DMY", "euro": "DMY",
    "ymd": "YMD",
}  # fmt: skip
INTERVAL_STYLES = ("postgres", "postgres_verbose", "sql_standard", "iso_8601")
_OFFSET = re.compile(r"([+-]?)(\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?\Z")

_ids: dict[tuple[str, ...], int] = {}


def not_supported(name: str) -> DsqlError:
    """The refusal of a setting."""
    return unsupported(f'setting configuration parameter "{name}" not supported')


def unrecognized(name: str) -> DsqlError:
    """No such setting."""
    return DsqlError("42704", f'unrecognized configuration parameter "{name}"')


class SessionSettings:
    """The settings of one session."""

    def __init__(self, user: str = "admin") -> None:
        self.session_user = user
        self.connection: Any = None  # the gateway's own record of the connection
        self.session_id: str | None = None  # sys.current_session_id()
        self.sequences: Any = None  # blocks of sequences this session holds (functions/sequences.py)
        self._values: dict[str, str] = {}
        self._startup: dict[str, str] = {}
        self._saved: dict[str, str] | None = None  # before the transaction's first change
        self._kept: dict[str, str] = {}  # what COMMIT leaves: changes that were not LOCAL
        self._search_path: tuple[str, ...] | None = None
        self._id: int | None = None

    @property
    def user(self) -> str:
        """The current user: the session's, or the role SET LOCAL ROLE chose."""
        role = self._values.get("role", "none")
        return self.session_user if role == "none" else role

    # -- reading -------------------------------------------------------------------------------------------------------

    def get(self, name: str) -> str:
        """The value of a setting; 42704 for one there is none of."""
        key = name.lower()
        setting = SETTINGS.get(key)
        if setting is None:
            raise unrecognized(name)
        if key == "session_authorization":
            return self.session_user
        return self._values.get(key, setting.default)

    @property
    def search_path(self) -> tuple[str, ...]:
        """Schemas searched for unqualified names, in order ("$user" replaced; pg_catalog's implied place is first)."""
        if self._search_path is None:
            names = split_identifiers(self.get("search_path"))
            path = [self.user if name == "$user" else name for name in names]
            self._search_path = tuple(dict.fromkeys(name for name in path if name))
        return self._search_path

    @property
    def settings_id(self) -> int:
        """Number of this combination of plan-affecting settings, equal between sessions of a process."""
        if self._id is None:
            key = (self.user, *(self.get(name) for name in PLAN_SETTINGS))
            self._id = _ids.setdefault(key, len(_ids))
        return self._id

    def reports(self) -> list[tuple[str, str]]:
        """ParameterStatus messages of a new connection."""
        return [(name, self.get(name)) for name in REPORTED]

    # -- writing -------------------------------------------------------------------------------------------------------

    def set(self, name: str, value: str | list[str] | None, local: bool = False, in_transaction: bool = False) -> str:
        """Set one setting (None = its default); the value as SHOW would show it."""
        key = name.lower()
        setting = SETTINGS.get(key)
        if setting is None or not setting.settable:
            raise not_supported(name)
        shown = self._default(key, setting) if value is None else canonical(setting, value, self.user)
        if key == "role" and shown != "none" and not (local and in_transaction):
            raise not_supported("role")
        self._change(key, shown, local, in_transaction)
        return shown

    def _default(self, key: str, setting: Setting) -> str:
        return self._startup.get(key, setting.default)

    def _change(self, key: str, shown: str, local: bool, in_transaction: bool) -> None:
        if local and not in_transaction:
            return  # PostgreSQL warns (25P01) and forgets it at once
        if in_transaction:
            if self._saved is None:
                self._saved = dict(self._values)
                self._kept = dict(self._values)
            if not local:
                self._kept[key] = shown
        self._values[key] = shown
        self._search_path = self._id = None

    def reset_all(self, in_transaction: bool = False) -> None:
        """RESET ALL."""
        for key in list(self._values):
            if key in SETTINGS and SETTINGS[key].settable and key != "role":
                self._change(key, self._default(key, SETTINGS[key]), False, in_transaction)

    @property
    def changed_in_transaction(self) -> bool:
        """Whether the open transaction changed something: its end must be told (end_transaction)."""
        return self._saved is not None

    def end_transaction(self, committed: bool) -> bool:
        """The transaction is over: LOCAL changes go, all go when it did not commit. True when something changed."""
        if self._saved is None:
            return False
        before = self._values
        self._values = self._kept if committed else self._saved
        self._saved = None
        self._kept = {}
        self._search_path = self._id = None
        return before != self._values

    def start(self, parameters: dict[str, str]) -> None:
        """Settings of a startup packet (`options` taken apart by startup_options); 0A000 for a refused one."""
        for name, value in parameters.items():
            key = name.lower()
            setting = SETTINGS.get(key)
            if setting is None or not setting.settable or key == "role":
                raise not_supported(name)
            self._startup[key] = self._values[key] = canonical(setting, value, self.user)
        self._search_path = self._id = None


def startup_options(options: str) -> dict[str, str]:
    """The -c name=value and --name=value pairs of the startup packet's options."""
    words, found = re.findall(r"(?:\\.|[^\s\\])+", options), {}
    words = [re.sub(r"\\(.)", r"\1", word) for word in words]
    position = 0
    while position < len(words):
        word = words[position]
        if word == "-c" and position + 1 < len(words):
            position += 1
            word = words[position]
        elif word.startswith("-c"):
            word = word[2:]
        elif word.startswith("--"):
            word = word[2:].replace("-", "_")
        else:
            raise DsqlError("42601", f"invalid command-line argument for server process: {word}", severity="FATAL")
        name, _, value = word.partition("=")
        found[name] = value
        position += 1
    return found


# -- values ------------------------------------------------------------------------------------------------------------


def invalid(name: str, value: str, **more: Any) -> DsqlError:
    """22023 for a value."""
    return DsqlError("22023", f'invalid value for parameter "{name}": "{value}"', **more)


def canonical(setting: Setting, value: str | list[str], user: str = "admin") -> str:
    """A value as the setting keeps it."""
    key = setting.name.lower()
    if key == "search_path":
        if isinstance(value, list):
            return ", ".join(quote_ident(v) if v != "$user" else '"$user"' for v in value)
        split_identifiers(value)
        return value
    text = ", ".join(value) if isinstance(value, list) else value
    if setting.kind == "bool":
        if text.lower() in _TRUE:
            return "on"
        if text.lower() in _FALSE:
            return "off"
        raise DsqlError("22023", f'parameter "{setting.name}" requires a Boolean value')
    if key == "datestyle":
        return date_style(text)
    if key == "intervalstyle":
        if text.lower() not in INTERVAL_STYLES:
            hint = "Available values: " + ", ".join(INTERVAL_STYLES) + "."
            raise invalid(setting.name, text, hint=hint)
        return text.lower()
    if key == "timezone":
        return time_zone(text)
    if key == "client_encoding":
        if re.sub(r"[^a-z0-9]", "", text.lower()) not in ("utf8", "unicode"):
            raise invalid("client_encoding", text)
        return "UTF8"
    if key == "extra_float_digits":
        return float_digits(text)
    return text


def float_digits(text: str) -> str:
    """extra_float_digits: -15 to 3."""
    try:
        digits = int(text)
    except ValueError:
        raise invalid("extra_float_digits", text) from None
    if not -15 <= digits <= 3:
        raise DsqlError("22023", f'{digits} is outside the valid range for parameter "extra_float_digits" (-15 .. 3)')
    return str(digits)


def date_style(text: str) -> str:
    """'style, order' from any mix of the two."""
    style, order = "ISO", "MDY"
    seen_style = seen_order = False
    for word in text.lower().replace(",", " ").split():
        if word in _STYLES and (not seen_style or style == _STYLES[word]):
            style, seen_style = _STYLES[word], True
            if word == "german" and not seen_order:
                order = "DMY"
        elif word in _ORDERS and (not seen_order or order == _ORDERS[word]):
            order, seen_order = _ORDERS[word], True
        elif word == "default":
            continue
        else:
            known = word in _STYLES or word in _ORDERS
            detail = 'Conflicting "datestyle" specifications.' if known else f'Unrecognized key word: "{word}".'
            raise invalid("DateStyle", text, detail=detail)
    return f"{style}, {order}"


_zone_names: dict[str, str] | None = None


def time_zone(text: str) -> str:
    """A zone name in its own spelling, or a fixed offset as PostgreSQL shows one (<-07>+07)."""
    global _zone_names
    match = _OFFSET.match(text.strip())
    if match:
        sign, hours, minutes, seconds = match.groups()
        if int(hours) > 167 or (minutes and int(minutes) > 59):
            raise invalid("TimeZone", text)
        east = "-" if sign == "-" else "+"
        west = "+" if sign == "-" else "-"
        tail = (f":{minutes}" if minutes and minutes != "00" else "") + (f":{seconds}" if seconds and seconds != "00" else "")
        return f"<{east}{int(hours):02d}{tail}>{west}{int(hours):02d}{tail}"
    if text.startswith("<"):
        return text
    if _zone_names is None:
        _zone_names = {name.lower(): name for name in zoneinfo.available_timezones()}
    found = _zone_names.get(text.lower())
    if found is None and text.lower() in ("utc", "gmt", "zulu", "default"):
        found = {"utc": "UTC", "gmt": "GMT", "zulu": "Zulu", "default": "UTC"}[text.lower()]
    if found is None:
        raise invalid("TimeZone", text)
    return found


def split_identifiers(text: str) -> list[str]:
    """The names of a comma-separated identifier list."""
    names, rest = [], text.strip()
    while rest:
        if rest.startswith('"'):
            match = re.match(r'"((?:[^"]|"")*)"', rest)
            if match is None:
                raise invalid("search_path", text, detail="List syntax is invalid.")
            names.append(match[1].replace('""', '"'))
            rest = rest[match.end() :].lstrip()
        else:
            match = re.match(r"[^,\s]+", rest)
            if match is None:
                raise invalid("search_path", text, detail="List syntax is invalid.")
            names.append(match[0].lower())
            rest = rest[match.end() :].lstrip()
        if rest and not rest.startswith(","):
            raise invalid("search_path", text, detail="List syntax is invalid.")
        if rest == ",":
            raise invalid("search_path", text, detail="List syntax is invalid.")
        rest = rest[1:].lstrip()
    return names


# -- where a session keeps them ----------------------------------------------------------------------------------------

_default = SessionSettings()


def settings_of(session: Any) -> SessionSettings:
    """The settings of a session, kept in its `settings` slot (made at first use); of nobody when session is None."""
    if session is None:
        return _default
    found = session.settings
    if found is None:
        found = session.settings = SessionSettings()
    return found


def apply_format(session: Any, settings: SessionSettings) -> None:
    """Give the compiled core what it reads and prints values by."""
    style, order = settings.get("datestyle").split(", ")
    session.set_format(
        date_style=list(_STYLES.values()).index(style),
        date_order=("MDY", "DMY", "YMD").index(order),
        interval_style=INTERVAL_STYLES.index(settings.get("intervalstyle")),
        extra_float_digits=int(settings.get("extra_float_digits")),
    )
    zone = settings.get("timezone")
    if not session.set_timezone(zone):
        raise invalid("TimeZone", zone)
    session.default_read_only = settings.get("default_transaction_read_only") == "on"


def end_transaction(session: Any, committed: bool) -> None:
    """Called once after every transaction of a session: undoes what SET LOCAL, or a rollback, undoes."""
    if session.settings is not None and session.settings.end_transaction(committed):
        apply_format(session, session.settings)


# -- statements --------------------------------------------------------------------------------------------------------


def in_transaction(session: Any) -> bool:
    """Whether BEGIN was said."""
    return bool(getattr(session, "in_transaction", False))


def argument(node: dict[str, Any]) -> str:
    """The text of one SET argument."""
    if "TypeCast" in node:
        return argument(node["TypeCast"]["arg"])
    const = node.get("A_Const", {})
    if "ival" in const:
        return str(const["ival"].get("ival", 0))
    if "fval" in const:
        return const["fval"]["fval"]
    if "boolval" in const:
        return "true" if const["boolval"].get("boolval") else "false"
    return const["sval"].get("sval", "")


def set_variable(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """SET and RESET in every form."""
    settings = settings_of(session)
    kind = stmt["kind"]
    name = stmt.get("name", "")
    inside = in_transaction(session)
    tag = "RESET" if kind in ("VAR_RESET", "VAR_RESET_ALL") else "SET"
    before = dict(settings.reports())
    if kind == "VAR_RESET_ALL":
        settings.reset_all(inside)
    elif kind == "VAR_SET_MULTI":
        set_multi(stmt, name, session)
    elif kind in ("VAR_SET_DEFAULT", "VAR_RESET"):  # guess: reset_refused
        if name.lower() != "session_authorization":
            settings.set(name, None, bool(stmt.get("is_local")), inside)
    elif kind == "VAR_SET_CURRENT":
        raise not_supported(name)
    else:
        values = [argument(node) for node in stmt["args"]]
        if name.lower() in ("role", "session_authorization") and (not stmt.get("is_local") or name.lower() != "role"):
            raise not_supported(name.lower())
        if name.lower() == "role" and inside:
            check_role(settings, values[0], catalog)
        value: str | list[str] = values if len(values) > 1 or name.lower() == "search_path" else values[0]
        settings.set(name, value, bool(stmt.get("is_local")), inside)
    apply_format(session, settings)
    result = PyResult(tag)
    if stmt.get("is_local") and not inside:
        from opendsql.catalog.result import Notice

        result.notices.append(Notice("SET LOCAL can only be used in transaction blocks", "25P01", "WARNING"))
    result.reports = [(key, value) for key, value in settings.reports() if before[key] != value]
    return result


def check_role(settings: SessionSettings, role: str, catalog: Any) -> None:
    """SET LOCAL ROLE: the role must be there, and the session user a member of it (guess: set_role)."""
    from opendsql.catalog.acl import membership

    found = catalog.roles.get(role)
    if role == "none":
        return
    if found is None:
        raise DsqlError("22023", f'role "{role}" does not exist')
    own = catalog.roles.get(settings.session_user)
    if settings.session_user != "admin" and (own is None or found.oid not in membership(catalog, own.oid)):
        raise DsqlError("42501", f'permission denied to set role "{role}"')


def set_multi(stmt: dict[str, Any], name: str, session: Any) -> None:
    """SET TRANSACTION is refused (a wrong level first, guess: set_transaction_order); SET SESSION CHARACTERISTICS takes what BEGIN does."""
    options = {n["DefElem"]["defname"]: n["DefElem"]["arg"] for n in stmt.get("args") or () if "DefElem" in n}
    if "transaction_isolation" in options:
        level = options["transaction_isolation"]["A_Const"]["sval"]["sval"]
        if level.lower() != "repeatable read":
            raise unsupported(f"Unsupported isolation level: {level.upper()}")
    if name != "SESSION CHARACTERISTICS":
        raise not_supported(name)
    if "transaction_deferrable" in options:
        raise not_supported("default_transaction_deferrable")
    if "transaction_read_only" in options:
        on = bool(options["transaction_read_only"]["A_Const"]["ival"].get("ival", 0))
        settings_of(session)._change("default_transaction_read_only", "on" if on else "off", False, in_transaction(session))


def show_variable(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """SHOW name, SHOW ALL."""
    settings = settings_of(session)
    name = stmt["name"]
    if name.lower() == "all":
        rows = [(s.name, settings.get(s.name), s.description) for s in sorted(SETTINGS.values(), key=lambda s: s.name.lower())]
        return PyResult("SHOW", [("name", 25), ("setting", 25), ("description", 25)], list(rows))
    value = settings.get(name)
    return PyResult("SHOW", [(SETTINGS[name.lower()].name, 25)], [(value,)])
