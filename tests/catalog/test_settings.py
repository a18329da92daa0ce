"""SET, RESET and SHOW inside and outside transactions."""

import pytest
from opendsql.catalog.settings import SessionSettings, settings_of, startup_options
from opendsql.errors import DsqlError


def show(session, name):
    return session.run(f"show {name}").rows[0][0]


@pytest.mark.parametrize(
    ("sql", "name", "value"),
    [
        ("set timezone = 'europe/berlin'", "timezone", "Europe/Berlin"),
        ("set time zone -7", "timezone", "<-07>+07"),
        ("set time zone local", "timezone", "UTC"),
        ("set names 'utf8'", "client_encoding", "UTF8"),
        ("set schema 'x'", "search_path", "x"),
        ("set search_path to a, \"B c\", public", "search_path", 'a, "B c", public'),
        ("set datestyle to german", "datestyle", "German, DMY"),
        ("set datestyle = 'sql, dmy'", "datestyle", "SQL, DMY"),
        ("set intervalstyle = ISO_8601", "intervalstyle", "iso_8601"),
        ("set extra_float_digits = 3", "extra_float_digits", "3"),
        ("set enable_hashjoin = off", "enable_hashjoin", "off"),
        ("set dsql.enable_batched_nestloop to false", "dsql.enable_batched_nestloop", "off"),
        ("set application_name = 'me'", "application_name", "me"),
        ("set session characteristics as transaction read only", "default_transaction_read_only", "on"),
    ],
)
def test_set_and_show(session, sql, name, value):
    session.run(sql)
    assert show(session, name) == value


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("server_version", "server_version", "16.15"), ("server_version_num", "server_version_num", "160015"),
        ("timezone", "TimeZone", "UTC"), ("client_encoding", "client_encoding", "UTF8"),
        ("transaction_isolation", "transaction_isolation", "repeatable read"), ("search_path", "search_path", '"$user", public'),
        ("default_table_access_method", "default_table_access_method", "btree_table"),
        ("default_toast_compression", "default_toast_compression", "lz4"), ("datestyle", "DateStyle", "ISO, MDY"),
    ],
)  # fmt: skip
def test_show_defaults(session, name, column, value):
    result = session.run(f"show {name}")
    assert (result.tag, result.columns, result.rows) == ("SHOW", [(column, 25)], [(value,)])


def test_transaction_isolation_level_words(session):
    assert show(session, "transaction isolation level") == "repeatable read"


def test_local_ends_with_the_transaction(session):
    session.begin()
    session.run("set local timezone = 'Asia/Tokyo'")
    session.run("set search_path = app")
    assert show(session, "timezone") == "Asia/Tokyo" and session.timezone == "Asia/Tokyo"
    session.commit()
    assert show(session, "timezone") == "UTC" and session.timezone == "UTC"
    assert show(session, "search_path") == "app"


def test_rollback_undoes_set(session):
    session.run("set timezone = 'Asia/Tokyo'")
    session.begin()
    session.run("set timezone = 'Europe/Paris'")
    session.rollback()
    assert show(session, "timezone") == "Asia/Tokyo"
    session.run("reset timezone")
    assert show(session, "timezone") == "UTC"


def test_local_outside_a_transaction_warns(session):
    result = session.run("set local timezone = 'Asia/Tokyo'")
    assert [(n.severity, n.sqlstate) for n in result.notices] == [("WARNING", "25P01")]
    assert show(session, "timezone") == "UTC"


def test_reports(session):
    assert session.run("set timezone = 'Asia/Tokyo'").reports == [("TimeZone", "Asia/Tokyo")]
    assert session.run("reset all").reports == [("TimeZone", "UTC")]


def test_settings_id_is_the_combination(directory):
    one, two = directory.session(), directory.session()
    assert settings_of(one).settings_id == settings_of(two).settings_id
    one.run("set search_path = a")
    assert settings_of(one).settings_id != settings_of(two).settings_id
    two.run("set search_path = a")
    assert settings_of(one).settings_id == settings_of(two).settings_id


def test_startup():
    settings = SessionSettings("app")
    settings.start(startup_options("-c search_path=a,b --timezone=asia/tokyo"))
    assert settings.search_path == ("a", "b") and settings.get("timezone") == "Asia/Tokyo"
    assert SessionSettings("app").search_path == ("app", "public")
    with pytest.raises(DsqlError) as caught:
        SessionSettings().start({"default_transaction_read_only": "on"})
    assert caught.value.message == 'setting configuration parameter "default_transaction_read_only" not supported'
    assert startup_options("-csearch_path=x -c datestyle=ISO\\,\\ DMY") == {"search_path": "x", "datestyle": "ISO, DMY"}


def test_set_local_role(session):
    session.run("create role app with login")
    session.begin()
    session.run("set local role app")
    assert settings_of(session).user == "app" and settings_of(session).session_user == "admin"
    session.commit()
    assert settings_of(session).user == "admin"
    session.begin()
    with pytest.raises(DsqlError) as caught:
        session.run("set local role nosuch")
    assert (caught.value.sqlstate, caught.value.message) == ("22023", 'role "nosuch" does not exist')
