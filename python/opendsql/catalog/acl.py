"""Access lists: who may do what with an object, who gave it, who may give it on. PostgreSQL's rules, on aclitem texts.

    grantee=privileges/grantor      privileges: letters, each followed by * with grant option; '' grantee = PUBLIC

An empty list stands for the default: everything to the owner (functions: EXECUTE to PUBLIC as well). The owner always has
all grant options; its own privileges can be revoked like anyone's.

Invariants
  A1  a list holds at most one item per (grantee, grantor).
  A2  whoever gave a privilege holds its grant option, from the owner on: taking a grant option away takes what hangs on it
      (CASCADE) or is refused (RESTRICT, 2BP01).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from opendsql.catalog.model import PUBLIC_OID, Catalog, Domain, Function, Schema, Sequence, Table, View
from opendsql.errors import DsqlError

LETTERS = {
    "insert": "a", "select": "r", "update": "w", "delete": "d", "truncate": "D", "references": "x", "trigger": "t",
    "execute": "X", "usage": "U", "create": "C", "temporary": "T", "temp": "T", "connect": "c",
}  # fmt: skip
ALL = {"table": "arwdDxt", "sequence": "rwU", "schema": "UC", "function": "X", "column": "arwx", "domain": "U"}
_ORDER = "arwdDxtXUCTc"
SYSTEM_SCHEMAS = frozenset(("pg_catalog", "information_schema", "sys"))


@dataclass(slots=True)
class Item:
    """What one role (or PUBLIC) has from one grantor: letter -> with grant option."""

    grantee: str
    grantor: str
    held: dict[str, bool] = field(default_factory=dict)


def quoted(name: str) -> str:
    """A role's name as aclitems show it."""
    plain = all(c.isalnum() or c == "_" for c in name)
    return name if plain else '"' + name.replace('"', '""') + '"'


def _unquoted(text: str) -> str:
    return text[1:-1].replace('""', '"') if text.startswith('"') else text


def parse(acl: Iterable[str]) -> list[Item]:
    """Items of aclitem texts."""
    found = []
    for entry in acl:
        at = entry.index('"=', 1) + 1 if entry.startswith('"') else entry.index("=")
        name, rest = entry[:at], entry[at + 1 :]
        letters, grantor = rest.split("/", 1)
        found.append(Item(_unquoted(name), _unquoted(grantor), split(letters)))
    return found


def show(items: Iterable[Item]) -> tuple[str, ...]:
    """Their texts; an item without privileges is nothing."""
    return tuple(f"{quoted(i.grantee)}={join(i.held)}/{quoted(i.grantor)}" for i in items if i.held)


def split(text: str) -> dict[str, bool]:
    """letter -> grant option."""
    return {c: text[n + 1 : n + 2] == "*" for n, c in enumerate(text) if c != "*"}


def join(held: dict[str, bool]) -> str:
    """Letters in PostgreSQL's order."""
    return "".join(letter + ("*" if held[letter] else "") for letter in _ORDER if letter in held)


def default(kind: str, owner: str) -> tuple[str, ...]:
    """What an empty list stands for."""
    if kind == "column":
        return ()
    own = show([Item(owner, owner, dict.fromkeys(ALL[kind], False))])
    return (f"={ALL[kind]}/{quoted(owner)}", *own) if kind in ("function", "domain") else own


def kind_of(item: Any) -> str:
    """The word of ALL for an object."""
    kinds = {Sequence: "sequence", Schema: "schema", Function: "function", Domain: "domain"}
    return kinds.get(type(item), "table")


def word_of(item: Any) -> str:
    """What `permission denied for` calls the object."""
    return "view" if isinstance(item, View) else kind_of(item)


def role_name(catalog: Catalog, oid: int) -> str:
    """A role's name by oid."""
    return getattr(catalog.by_oid.get(oid), "name", "admin")


def list_of(catalog: Catalog, item: Any) -> list[Item]:
    """The items in force on an object."""
    acl = getattr(item, "acl", ()) or default(kind_of(item), role_name(catalog, item.owner_oid))
    return parse(acl)


# --- roles ------------------------------------------------------------------------------------------------------------


def membership(catalog: Catalog, role_oid: int, *, inherited: bool = False) -> set[int]:
    """Oids of every role the role is a member of, directly or not, itself included.

    inherited: only those whose privileges it has without SET ROLE."""
    found: set[int] = set()
    todo = [role_oid]
    while todo:
        oid = todo.pop()
        if oid in found:
            continue
        found.add(oid)
        role = catalog.by_oid.get(oid)
        options = {parent: flags for parent, _, flags in getattr(role, "member_options", ())}
        for parent in getattr(role, "member_of", ()):
            if not inherited or "i" in options.get(parent, "i" if getattr(role, "inherit", True) else ""):
                todo.append(parent)
    return found


def is_admin_of(catalog: Catalog, member_oid: int, role_oid: int) -> bool:
    """Whether a role may give membership in another: ADMIN OPTION, its own or of a role it is a member of."""
    return any(
        parent == role_oid and "a" in flags
        for oid in membership(catalog, member_oid)
        for parent, _, flags in getattr(catalog.by_oid.get(oid), "member_options", ())
    )


def _names(catalog: Catalog, user: str) -> set[str]:
    role = catalog.roles.get(user)
    return {role_name(catalog, oid) for oid in membership(catalog, role.oid, inherited=True)} if role is not None else set()


def owns(catalog: Catalog, user: str, item: Any) -> bool:
    """Whether a user has the owner's rights."""
    return user == "admin" or role_name(catalog, item.owner_oid) in _names(catalog, user)


def holds(catalog: Catalog, user: str, item: Any, letter: str, *, option: bool = False) -> bool:
    """Whether a user has a privilege (or its grant option): admin has all, others by membership and the access list."""
    if user == "admin":
        return True
    if isinstance(item, Schema) and (item.oid == PUBLIC_OID or item.name in SYSTEM_SCHEMAS):
        return letter == "U" and not option
    names = _names(catalog, user)
    if option and role_name(catalog, item.owner_oid) in names:
        return True
    return _in_list(list_of(catalog, item), names, letter, option)


def holds_column(catalog: Catalog, user: str, item: Table | View, column: str, letter: str, *, option: bool = False) -> bool:
    """Whether a user has a privilege on a column, by the table's list or the column's."""
    if holds(catalog, user, item, letter, option=option):
        return True
    return _in_list(parse(item.column_acls.get(column, ())), _names(catalog, user), letter, option)


def _in_list(items: list[Item], names: set[str], letter: str, option: bool) -> bool:
    return any(
        letter in i.held and (i.held[letter] or not option) and (i.grantee in names or (not i.grantee and not option))
        for i in items
    )


def new_owner(acl: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    """The list after a change of owner: what the old owner had and gave is the new one's."""
    return renamed(acl, old, new) if old != new else acl


def renamed(acl: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    """The list with one role's name replaced; items that become one are merged."""
    found: list[Item] = []
    for item in parse(acl):
        grantee, grantor = (new if name == old else name for name in (item.grantee, item.grantor))
        same = next((i for i in found if i.grantee == grantee and i.grantor == grantor), None)
        if same is None:
            found.append(Item(grantee, grantor, item.held))
            continue
        for letter, option in item.held.items():
            same.held[letter] = same.held.get(letter, False) or option
    return show(found)


# --- giving and taking ------------------------------------------------------------------------------------------------


def best_grantor(catalog: Catalog, user: str, item: Any, items: list[Item], letters: str) -> tuple[str, str]:
    """(who gives, the letters that role may give): the owner where the user has its rights, else whoever holds most."""
    owner = role_name(catalog, item.owner_oid)
    if owns(catalog, user, item):
        return owner, letters
    best, given = user, ""
    for name in sorted(_names(catalog, user), key=lambda n: n != user):
        options = "".join(c for c in letters if any(i.grantee == name and i.held.get(c) for i in items))
        if len(options) > len(given):
            best, given = name, options
    return best, given


def give(items: list[Item], grantee: str, grantor: str, letters: str, option: bool, owner: str) -> list[Item]:
    """The list with privileges added."""
    if option and not grantee:
        raise DsqlError("0LP01", "grant options can only be granted to roles")
    if option:
        _refuse_circle(items, grantee, grantor, letters, owner)
    found = next((i for i in items if i.grantee == grantee and i.grantor == grantor), None)
    if found is None:
        found = Item(grantee, grantor)
        items = [*items, found]
    for letter in letters:
        found.held[letter] = found.held.get(letter, False) or option
    return items


def take(items: list[Item], grantee: str, grantor: str, letters: str, option: bool, cascade: bool, owner: str) -> list[Item]:
    """The list with privileges, or only their grant options, taken away by the one who gave them."""
    for item in items:
        if item.grantee == grantee and item.grantor == grantor:
            lost = [c for c in letters if item.held.get(c)]
            for letter in letters:
                if option and letter in item.held:
                    item.held[letter] = False
                elif not option:
                    item.held.pop(letter, None)
            if lost:
                items = _release(items, grantee, "".join(lost), cascade, owner)
    return [i for i in items if i.held]


def _options(items: list[Item], name: str, owner: str, letters: str) -> str:
    if name == owner:
        return letters
    return "".join(c for c in letters if any(i.grantee == name and i.held.get(c) for i in items))


def _release(items: list[Item], role: str, lost: str, cascade: bool, owner: str) -> list[Item]:
    """A2: what a role gave with grant options it no longer has."""
    gone = "".join(c for c in lost if c not in _options(items, role, owner, lost))
    for item in list(items):
        letters = "".join(c for c in gone if c in item.held)
        if item.grantor == role and letters:
            if not cascade:
                raise DsqlError("2BP01", "dependent privileges exist", hint="Use CASCADE to revoke them too.")
            items = take(items, item.grantee, role, letters, False, cascade, owner)
    return items


def _refuse_circle(items: list[Item], grantee: str, grantor: str, letters: str, owner: str) -> None:
    """A grant option may not come back to one it came from."""
    if grantee == grantor:
        return
    if grantee == owner:
        raise DsqlError("0LP01", "grant options cannot be granted back to your own grantor")
    without = [Item(i.grantee, i.grantor, dict(i.held)) for i in items]
    for item in list(without):
        if item.grantee == grantee:
            without = take(without, grantee, item.grantor, "".join(item.held), False, True, owner)
    if any(c not in _options(without, grantor, owner, letters) for c in letters):
        raise DsqlError("0LP01", "grant options cannot be granted back to your own grantor")
