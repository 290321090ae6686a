"""The verdict on a run comes from evidence alone."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest

from llmos_nb.cortex.endpoint import Endpoint
from llmos_nb.cortex.job import Job, Told
from llmos_nb.cortex.outcome import judge
from llmos_nb.guard.verdict import Verdict
from llmos_nb.tools.tool import ToolResult
from llmos_nb.tools.workbench import Call

ALLOW = Verdict("allow", "", "")


def job(*calls: Call, **facts: Any) -> Job:
    bench: Any = SimpleNamespace(calls=list(calls), stop=lambda: None)
    bill: Any = SimpleNamespace(exceeded=False, remaining_usd=1.0)
    made = Job(
        run_id="r", goal="g", agent="a", guidance="", endpoint=Endpoint("scripted", "scripted"), workbench=bench,
        bill=bill, publish=lambda event: None, charge=lambda usage: None,
    )  # fmt: skip
    made.result = result()
    for name, value in facts.items():
        setattr(made, name, value)
    return made


def result(**facts: Any) -> Any:
    usual = {
        "subtype": "success", "is_error": False, "result": "The answer.", "errors": None, "api_error_status": None,
        "permission_denials": [],
    }  # fmt: skip
    return SimpleNamespace(**{**usual, **facts})


def call(tool: str = "run_cell", error: str = "", text: str = "", verdict: Verdict = ALLOW) -> Call:
    done = None if verdict.decision == "deny" else ToolResult(text=text, error=error)
    return Call(1, tool, {}, verdict, done, 0.1)


def test_success_gives_the_answer() -> None:
    outcome = judge(job(call(), text="Said on the way."))
    assert (outcome.status, outcome.text) == ("success", "The answer.")


def test_claim_of_success_after_a_failed_step_is_no_success() -> None:
    failed = call(error="KeyError", text="Traceback\nKeyError: 'mass'")
    outcome = judge(job(call(), failed, result=result(result="All done, everything worked!")))
    assert (outcome.status, outcome.reason) == ("failed", "the last step (run_cell) failed: KeyError: 'mass'")


def test_looking_at_variables_does_not_undo_a_failure() -> None:
    assert judge(job(call(error="ValueError", text="bad"), call("inspect"))).status == "failed"


def test_looking_in_vain_is_no_success() -> None:
    assert judge(job(call("inspect", error="NameError", text="There is no variable named df."))).status == "failed"
    assert judge(job(call("inspect", error="NameError", text="no"), call("inspect"))).status == "success"


def test_a_model_that_refuses_has_not_succeeded() -> None:
    refused = judge(job(result=result(stop_reason="refusal")))
    assert refused.status == "failed" and "refused" in refused.reason and refused.remedy


def test_error_that_a_later_step_mended_is_forgiven() -> None:
    assert judge(job(call(error="ValueError", text="bad"), call())).status == "success"


def test_refusal_by_the_guard_is_denied() -> None:
    outcome = judge(job(call("run_shell", verdict=Verdict("deny", "some-rule", "it would delete everything"))))
    assert (outcome.status, outcome.reason) == ("denied", "the guard refused run_shell: it would delete everything")


def test_what_the_guard_refused_while_it_ran_is_denied_and_says_what_and_why() -> None:
    seen = call(error="ActRefused", text="ActRefused: The guard refused this\n  -> Work inside the workspace.")
    assert seen.result is not None
    refused = dataclasses.replace(
        seen, result=dataclasses.replace(seen.result, refused="writing outside (/x) (rule py-write)")
    )
    outcome = judge(job(refused))
    assert (outcome.status, outcome.reason) == (
        "denied", "the guard refused what run_cell did: writing outside (/x) (rule py-write)",
    )  # fmt: skip
    assert judge(job(refused, call())).status == "success", "made good"


def test_a_failure_is_told_by_what_happened_and_not_by_its_remedy() -> None:
    text = "DataError: there is no column 'mas'\n  -> Did you mean 'mass'?"
    outcome = judge(job(call(error="DataError", text=text)))
    assert outcome.reason == "the last step (run_cell) failed: DataError: there is no column 'mas'"


@pytest.mark.parametrize(("denials", "status"), [([], "failed"), ([{"tool_use_id": "t1"}], "denied")])
def test_call_that_never_reached_a_tool_counts(denials: list[dict[str, str]], status: str) -> None:
    """Refused by a user's hook or by the CLI itself: no tool of ours saw it."""
    told = Told("run_cell", "t1", "the hook said no")
    outcome = judge(job(told=told, result=result(permission_denials=denials)))
    assert outcome.status == status
    assert "run_cell" in outcome.reason and "the hook said no" in outcome.reason


def test_call_that_worked_after_one_that_did_not_arrive() -> None:
    assert judge(job(call(), told=Told("run_cell", "t2", ""))).status == "success"


@pytest.mark.parametrize("ending", ["stopped", "timed_out", "over_budget", "failed"])
def test_what_ended_a_run_from_outside_goes_before_all_else(ending: str) -> None:
    made = job(call(), failure="it died")
    made.end(ending, "for this reason")
    made.end("stopped", "too late")
    assert (judge(made).status, judge(made).reason) == (ending, "for this reason")


def test_failure_of_the_client_keeps_its_remedy() -> None:
    outcome = judge(job(failure="it died", remedy="start it", result=None))
    assert (outcome.status, outcome.reason, outcome.remedy) == ("failed", "it died", "start it")


def test_end_without_a_result_is_a_failure() -> None:
    assert judge(job(result=None, text="I am nearly")).status == "failed"


def test_silence_is_a_failure() -> None:
    assert judge(job(result=result(result="", is_error=False))).status == "failed"
    assert judge(job(call(), result=result(result=""))).status == "success"


@pytest.mark.parametrize(
    ("facts", "status", "words", "remedy"),
    [
        ({"subtype": "error_max_budget_usd", "is_error": True}, "over_budget", "budget", ""),
        ({"subtype": "error_max_turns", "is_error": True}, "failed", "turns", "max_turns"),
        ({"subtype": "error_during_execution", "is_error": True}, "failed", "error_during_execution", "again"),
        ({"is_error": True, "api_error_status": 401, "result": "no key"}, "failed", "answered 401: no key", "key"),
        ({"is_error": True, "api_error_status": 529}, "failed", "answered 529", "busy"),
        ({"is_error": True, "result": "lost"}, "failed", "the endpoint failed: lost", "again"),
        ({"subtype": "error_of_the_future"}, "failed", "error_of_the_future", "again"),
    ],
)
def test_result_of_the_sdk(facts: dict[str, Any], status: str, words: str, remedy: str) -> None:
    outcome = judge(job(result=result(**facts)))
    assert outcome.status == status
    assert words in outcome.reason
    assert remedy in outcome.remedy


def by(agent: str, work: str, error: str = "", verdict: Verdict = ALLOW) -> Call:
    return dataclasses.replace(call(error=error, text=error, verdict=verdict), agent=agent, delegation=work)


def handed(work: str, error: str = "") -> Call:
    return dataclasses.replace(call("Agent", error=error), delegation=work)


@pytest.mark.parametrize(
    ("calls", "status"),
    [
        ([by("a", "1"), handed("1")], "success"),
        ([by("a", "1", "ValueError"), handed("1")], "failed"),
        ([by("a", "1", "ValueError"), by("a", "1"), handed("1")], "success"),  # it mended its own step
        ([by("a", "1", "ValueError"), handed("1"), call()], "success"),  # its caller did it itself
        ([by("a", "1", "ValueError"), handed("1"), by("b", "2"), handed("2")], "success"),  # another one did, later
        ([by("a", "1", "ValueError"), by("b", "2"), handed("2"), handed("1")], "failed"),  # beside it, not after it
        ([by("b", "2"), by("a", "1", "ValueError"), handed("1"), handed("2")], "failed"),
        ([by("a", "1", "ValueError"), handed("1"), handed("2")], "failed"),  # one that did nothing mends nothing
        ([by("a", "1", verdict=Verdict("deny", "x", "no")), handed("1")], "denied"),
        ([by("a", "1", "ValueError")], "failed"),
        ([handed("", "ToolError")], "failed"),
        ([handed("", "ToolError"), by("a", "1"), handed("1")], "success"),
    ],
)
def test_a_subagents_failure_is_the_runs_unless_it_was_made_good(calls: list[Call], status: str) -> None:
    outcome = judge(job(*calls, result=result(result="All went well.")))
    assert outcome.status == status
