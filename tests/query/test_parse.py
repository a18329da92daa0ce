"""Text to statements: DSQL's words, positions in characters, syntax errors as PostgreSQL words them."""

import pytest
from opendsql.errors import DsqlError
from opendsql.query.parse import parse


def refusal(text: str) -> tuple[str, str, int | None]:
    with pytest.raises(DsqlError) as caught:
        parse(text)
    return caught.value.sqlstate, caught.value.message, caught.value.position


def test_several_statements_and_their_texts() -> None:
    found = parse("select 1; begin ;\n -- nothing\n select 'é;' ;")
    assert [s.kind for s in found] == ["SelectStmt", "TransactionStmt", "SelectStmt"]
    assert found[2].own_text.strip().endswith("select 'é;'")


def test_empty() -> None:
    assert parse("") == []
    assert parse(" -- only a comment\n;") == []


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("select from where", 'syntax error at or near "where"', 13),
        ("select 1 +", "syntax error at end of input", 11),
        ("select 'é' frm x y", 'syntax error at or near "x"', 16),
        ("selec 1", 'syntax error at or near "selec"', 1),
        ("select 'a", 'unterminated quoted string at or near "\'a"', 8),
        ("create index s.i on t (a)", 'syntax error at or near "."', 15),
    ],
)
def test_syntax_errors(text: str, message: str, position: int) -> None:
    assert refusal(text) == ("42601", message, position)


def test_create_index_async() -> None:
    statement = parse("CREATE UNIQUE INDEX ASYNC IF NOT EXISTS i ON t (a) INCLUDE (b)")[0]
    assert statement.kind == "IndexStmt"
    assert statement.node["async"] is True
    assert statement.node["idxname"] == "i"
    assert "async" not in parse("create index i on t (a)")[0].node


def test_locations_are_those_of_the_text_sent() -> None:
    text = "create index async on t (nosuch)"
    relation = parse(text)[0].node["relation"]
    assert text[relation["location"] :] == "t (nosuch)"


def test_alter_table_async() -> None:
    statement = parse("alter table async t validate constraint c")[0]
    assert statement.kind == "AlterTableStmt"
    assert statement.node["async"] is True


def test_iam_statements() -> None:
    grant, revoke = parse("AWS IAM GRANT \"My Role\" TO 'arn:aws:iam::1:user/a'; aws iam revoke r from 'b';")
    assert (grant.kind, grant.node["role"], grant.node["arn"]) == (
        "AwsIamGrantStmt",
        "My Role",
        "arn:aws:iam::1:user/a",
    )
    assert (revoke.kind, revoke.node["role"], revoke.node["arn"]) == ("AwsIamRevokeStmt", "r", "b")
    assert refusal("aws iam grant r 'x'")[1] == "syntax error at or near \"'x'\""
    assert refusal("aws iam grant r to") == ("42601", "syntax error at end of input", 19)


@pytest.mark.parametrize(
    ("text", "position"),
    [("select async from t", 8), ("create table async (a int)", 14), ("select 1 from t ASYNC", 17)],
)
def test_async_is_reserved(text: str, position: int) -> None:
    word = text[position - 1 : position + 4]
    assert refusal(text) == ("42601", f'syntax error at or near "{word}"', position)


@pytest.mark.parametrize(
    "text", ['select "async" from t', "select 1 as async", "select t.async from t", "select 'async', $$async$$"]
)
def test_async_where_any_word_may_stand(text: str) -> None:
    assert parse(text)


def test_an_earlier_mistake_comes_first() -> None:
    assert refusal("selec async")[1] == 'syntax error at or near "selec"'
