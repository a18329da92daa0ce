"""The cluster's identity: made once, kept, changed only by what is given."""

from pathlib import Path

import pytest
from opendsql.endpoint import ACCOUNT, FILE, REGION, Endpoint
from opendsql.errors import OperatorError


def test_made_once_and_kept(tmp_path: Path) -> None:
    made = Endpoint.of(tmp_path)
    assert len(made.cluster_id) == 26 and (made.region, made.account) == (REGION, ACCOUNT)
    assert made.host == f"{made.cluster_id}.dsql.us-east-1.on.aws"
    assert made.arn == f"arn:aws:dsql:us-east-1:123456789012:cluster/{made.cluster_id}"
    assert Endpoint.of(tmp_path) == made == Endpoint.read(tmp_path)


def test_what_is_given_replaces_what_was_kept(tmp_path: Path) -> None:
    made = Endpoint.of(tmp_path, region="eu-central-1", host_names=["Local.DSQL.eu-central-1.on.aws.", "other"])
    assert made.names == (made.host, "local.dsql.eu-central-1.on.aws", "other")
    later = Endpoint.of(tmp_path, account="210987654321")
    assert (later.cluster_id, later.region, later.account, later.host_names) == (
        made.cluster_id, "eu-central-1", "210987654321", made.host_names,
    )  # fmt: skip
    assert Endpoint.read(tmp_path) == later


def test_names_it_answers_to(tmp_path: Path) -> None:
    endpoint = Endpoint.of(tmp_path, host_names=["local.dsql.us-east-1.on.aws"])
    for name in (endpoint.host, endpoint.host.upper(), endpoint.host + ".", "LOCAL.dsql.us-east-1.on.aws"):
        assert endpoint.answers_to(name)
    for name in ("", "localhost", "a" * 26 + ".dsql.us-east-1.on.aws", endpoint.cluster_id):
        assert not endpoint.answers_to(name)


@pytest.mark.parametrize("wrong", [{"region": "mars"}, {"account": "12"}, {"host_names": ["a b"]}, {"host_names": [""]}])
def test_wrong_parts(tmp_path: Path, wrong: dict) -> None:
    with pytest.raises(OperatorError):
        Endpoint.of(tmp_path, **wrong)
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cluster_id": "x"}', '{"cluster_id": "x", "region": 1, "account": 1, "host_names": 5}'])
def test_damaged_file(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(OperatorError, match="cluster"):
        Endpoint.of(tmp_path)
