"""Every statement of DSQL's grammar has DSQL's answer: never a syntax error, never XX000, else an error of allowed.py.

The grammar is ../shared/data/dsql_grammar.json beside the checkout (what a real cluster accepted, rule by rule); without it
these tests skip and say so. 5,000 statements run here, 20,000 behind the soak marker:

    pytest tests/grammar                        GRAMMAR_SEED=7 GRAMMAR_COUNT=20000 pytest tests/grammar -k answers
    pytest tests/grammar -m soak

Each statement runs in a transaction that is rolled back, over a real connection to a server process; it must be answered in
ten seconds, and the connection must live.
"""

from __future__ import annotations

import collections
import os
import time

import pytest
from allowed import allowed
from conversation import Answer, Conversation, Lost
from fixture import ROWS, SCHEMA
from generator import Generator, Statement
from grammar import WHERE, Grammar
from tests_support import RunningServer, run_server

SEED = int(os.environ.get("GRAMMAR_SEED", "1"))
COUNT = int(os.environ.get("GRAMMAR_COUNT", "5000"))
ABSENT = f"DSQL's grammar is not at {WHERE}: it comes with the specification, not with the project"
pytestmark = pytest.mark.skipif(not WHERE.exists(), reason=ABSENT)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with run_server(tmp_path_factory.mktemp("grammar")) as running:
        conversation = Conversation(running.port)
        for statement in (*SCHEMA, *ROWS):
            answer = conversation.ask(statement)
            assert not answer.error, (statement, answer.error)
        deadline = time.monotonic() + 20
        while conversation.ask("SELECT 1 FROM sys.jobs WHERE status IN ('submitted', 'processing')").rows:
            assert time.monotonic() < deadline, "index builds do not end"
            time.sleep(0.05)
        conversation.close()
        yield running


def answer_to(conversation: Conversation, statement: Statement) -> Answer:
    """The statement in a transaction, undone; transaction statements on their own."""
    if statement.rule != "TransactionStmt":
        return conversation.undone(statement.text, statement.params)
    answer = conversation.ask(statement.text)
    if conversation.status != "I":
        conversation.ask("ROLLBACK")
    return answer


def run(server: RunningServer, generator: Generator, count: int) -> collections.Counter[str]:
    """Runs count statements; the outcomes by SQLSTATE ("ok" for none). Fails with every answer DSQL would not give."""
    outcomes: collections.Counter[str] = collections.Counter()
    wrong: list[str] = []
    conversation = Conversation(server.port)
    for _ in range(count):
        statement = generator.statement()
        try:
            answer = answer_to(conversation, statement)
        except Lost as lost:
            wrong.append(f"{lost}: {statement.text} {statement.params}")
            conversation = Conversation(server.port)
            continue
        outcomes[answer.sqlstate or "ok"] += 1
        if answer.error and not allowed(answer.sqlstate, answer.message):
            wrong.append(f"{answer.sqlstate} {answer.message}: {statement.text} {statement.params}")
    conversation.close()
    shown = "\n".join(wrong[:30])
    assert not wrong, f"seed {SEED}: {len(wrong)} of {count} statements, the first:\n{shown}"
    return outcomes


def report(outcomes: collections.Counter[str]) -> None:
    total = outcomes.total()
    print("\n" + ", ".join(f"{state} {n} ({100 * n / total:.1f} %)" for state, n in outcomes.most_common()))


def test_file_is_what_the_generator_expects() -> None:
    grammar = Grammar()
    assert grammar.in_file == 381
    assert set(grammar.distance) >= {name for name, _ in grammar.points()}, "a rule no statement reaches"


def test_answers(server: RunningServer) -> None:
    generator = Generator(Grammar(), SEED)
    outcomes = run(server, generator, COUNT)
    report(outcomes)
    missing = {name for name, _ in generator.missing()}
    assert outcomes["ok"] > COUNT * 0.35, "most statements should mean something"
    assert len(generator.missing()) <= 40 or COUNT < 5000, sorted(missing)


@pytest.mark.soak
def test_twenty_thousand(server: RunningServer) -> None:
    generator = Generator(Grammar(), SEED)
    outcomes = run(server, generator, 20_000)
    report(outcomes)
    assert generator.missing() == set(), "every choice of every rule is taken at least once"


def test_generator_is_deterministic() -> None:
    one, two = Generator(Grammar(), 3), Generator(Grammar(), 3)
    assert [one.statement() for _ in range(200)] == [two.statement() for _ in range(200)]


def test_allow_list_is_no_blanket() -> None:
    assert not allowed("42601", 'syntax error at or near "x"')
    assert not allowed("XX000", "internal error: KeyError('x')")
    assert not allowed("0A000", "not supported yet: no kernel")
    assert not allowed("0A000", "unsupported expression: JsonExpr")
