"""The columns of every DataFrame, as data: reading this file is reading the schema.

All dtypes are nullable: what is not known is ``<NA>`` (``NaT`` for times), never 0, "" or False. Ids join::

    runs_df().merge(steps_df(), on="run_id")                       # what each run did
    steps_df().merge(events_df(), on=["run_id", "position"])       # where in its run a step began
    runs_df().merge(ledger_df(), on=["run_id", "session_id"])      # what each run cost, call by call
    runs_df().merge(agents_df(), left_on="agent", right_on="name") # who did it
    runs_df().merge(traces_df(), left_on="trace_id", right_on="id")  # the trace that each run left or replayed
    runs_df().merge(runs_df(), on="trace_id")                      # which runs replayed the same trace
    runs_df().merge(runs_df(), left_on="run_id", right_on="parent_run_id")  # the nodes of each orchestrated run
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

__all__ = [
    "AGENTS", "CODE_ARGUMENTS", "CRYSTALS", "EVENTS", "FRAMES", "LEDGER", "MESSAGES", "RUNS", "STEPS", "TRACES", "Column",
    "Dtype",
]  # fmt: skip

Dtype = Literal["string", "Int64", "Float64", "boolean", "datetime64[ns, UTC]"]


class Column(NamedTuple):
    """One column: its name, its pandas dtype, and what it means."""

    name: str
    dtype: Dtype
    meaning: str


TEXT: Final = "string"
COUNT: Final = "Int64"
NUMBER: Final = "Float64"
FLAG: Final = "boolean"
TIME: Final = "datetime64[ns, UTC]"

RUN_ID: Final = Column("run_id", TEXT, "the run; in every frame but agents_df")
SESSION_ID: Final = Column("session_id", TEXT, "the session the run belongs to: the stem of its log file")
POSITION: Final = Column("position", COUNT, "place within its run's events, from 1, the same in every frame")

RUNS: Final = [
    RUN_ID,
    SESSION_ID,
    Column("parent_run_id", TEXT, "the run whose plan it is a node of; <NA>: none"),
    Column("scheduled_by", TEXT, "the job of the schedule that asked for it; <NA>: a person did"),
    Column("background", FLAG, "worked on beside the cells, by --background or llmos.start"),
    Column("undone", FLAG, "what it had changed was taken back, all or in part"),
    Column("started_at", TIME, "when the goal was accepted"),
    Column("goal", TEXT, "the goal, as typed"),
    Column("agent", TEXT, "the agent asked; agents_df.name"),
    Column("endpoint", TEXT, "where the model is"),
    Column("project", TEXT, "the project it belongs to; empty: to none"),
    Column("forced_mode", TEXT, "the mode a person asked for; auto: nobody did"),
    Column("mode", TEXT, "the mode it ran in, at last; auto: it ended before one was chosen"),
    Column("reason", TEXT, "why it ended so; while it runs, why this mode"),
    Column(
        "status", TEXT, "success, failed, stopped, timed_out, denied, over_budget; <NA>: still running, or killed"
    ),
    Column(
        "cost_usd",
        NUMBER,
        "US dollars, without those of its nodes' runs; of one without an end, the sum of its calls; <NA>: unknown",
    ),
    Column("saved_usd", NUMBER, "US dollars a free mode saved"),
    Column("input_tokens", COUNT, "sum over its model calls, as the endpoint counts them"),
    Column("output_tokens", COUNT, "sum over its model calls"),
    Column("cache_read_tokens", COUNT, "sum over its model calls"),
    Column("cache_write_tokens", COUNT, "sum over its model calls"),
    Column("model_calls", COUNT, "model calls answered"),
    Column("steps", COUNT, "tool calls begun; rows of steps_df"),
    Column("duration_s", NUMBER, "seconds from start to end"),
    Column("trace_id", TEXT, "the trace it left or replayed; that of a free task of the package is not in traces_df"),
    Column("confidence", NUMBER, "of the match it ran on, 0 to 1"),
]

STEPS: Final = [
    RUN_ID,
    SESSION_ID,
    Column("step", COUNT, "the tool call's number within its run, from 1"),
    POSITION,
    Column("tool", TEXT, "the tool's name"),
    Column("agent", TEXT, "the subagent that made it; empty: the run's own agent"),
    Column("arguments", TEXT, "JSON object"),
    Column("code", TEXT, "the argument that is the program, command or text, if there is one"),
    Column("status", TEXT, "ok, error or denied; <NA>: it did not end"),
    Column("text", TEXT, "what the model was told"),
    Column("duration_s", NUMBER, "seconds"),
    Column("outputs", TEXT, "JSON list of output kinds"),
    Column("defines", TEXT, "JSON object: names it defined and their types"),
    Column("files", TEXT, "JSON list of files it wrote"),
    Column("replayed", FLAG, "played from a trace, not asked for by a model"),
    Column("at", TIME, "when it began"),
]

MESSAGES: Final = [
    RUN_ID,
    SESSION_ID,
    POSITION,
    Column("role", TEXT, "user (what the model was asked) or assistant"),
    Column("agent", TEXT, "who spoke, or was asked"),
    Column("text", TEXT, "the whole message"),
    Column("at", TIME, "when"),
]

EVENTS: Final = [
    RUN_ID,
    SESSION_ID,
    POSITION,
    Column("event", TEXT, "the event's type, such as ToolStarted"),
    Column("at", TIME, "when"),
    Column("data", TEXT, "JSON object: everything else it says"),
]

LEDGER: Final = [
    Column("id", COUNT, "the row's number"),
    Column("at", TIME, "when it was written"),
    RUN_ID,
    SESSION_ID,
    Column("kind", TEXT, "model_call, deduct, adjustment (to the final bill) or saving"),
    Column("description", TEXT, "what for"),
    Column("agent", TEXT, "who asked: the run's agent or one that it called"),
    Column("project", TEXT, "the project the run belongs to; empty: to none"),
    Column("model", TEXT, "the model"),
    Column("endpoint", TEXT, "where the model is"),
    Column("simulated", FLAG, "tutorial money: not a cent of it is real"),
    Column("input_tokens", COUNT, "as the endpoint counts them"),
    Column("output_tokens", COUNT, "as the endpoint counts them"),
    Column("cache_read_tokens", COUNT, "as the endpoint counts them"),
    Column("cache_write_tokens", COUNT, "as the endpoint counts them"),
    Column("cost_usd", NUMBER, "US dollars; <NA>: no price is known"),
    Column("saved_usd", NUMBER, "US dollars a free mode saved"),
]

AGENTS: Final = [
    Column("name", TEXT, "the agent"),
    Column("description", TEXT, "what it is for"),
    Column("tools", TEXT, "JSON list: the tools it is granted"),
    Column("model", TEXT, "the model it asks for"),
    Column("version", COUNT, "counts its changes, from 1"),
    Column("created_at", TIME, "when"),
    Column("created_by", TEXT, "user, or the agent that wrote it"),
    Column("path", TEXT, "its file"),
    Column(
        "uses",
        COUNT,
        "runs that it was asked for, but for those that broke off before anything was done, and calls by other agents",
    ),
    Column("success_rate", NUMBER, "share of its uses with an end that succeeded, 0 to 1; <NA>: none ended"),
    Column("cost_usd", NUMBER, "US dollars of its own model calls; <NA>: a price is not known"),
    Column("last_used_at", TIME, "when it was last used; <NA>: never"),
]

#: Also what an explorer of traces gives as a frame; ``id`` joins with ``runs_df``'s ``trace_id``.
TRACES: Final = [
    Column("id", TEXT, "the trace; its file's stem"),
    Column("created_at", TIME, "when it was recorded"),
    Column("goal", TEXT, "the goal, as typed"),
    Column("status", TEXT, "how its run ended"),
    Column("mode", TEXT, "the mode its run was in"),
    Column("agent", TEXT, "the agent that worked on it"),
    Column("project", TEXT, "the project it was made in; empty: in none"),
    Column("model", TEXT, "the model that was asked"),
    Column("cost_usd", NUMBER, "US dollars, of a plan with its nodes; <NA>: no price is known"),
    Column("duration_s", NUMBER, "seconds"),
    Column("replayable", FLAG, "it ended in success, and has a step to run"),
    Column("edited", FLAG, "changed since it was recorded or vouched for"),
    Column("wrong", TEXT, "when and why a person called it wrong; empty: nobody did"),
    Column("path", TEXT, "its file, relative to the folder of traces"),
]

#: What an explorer of crystals gives as a frame.
CRYSTALS: Final = [
    Column("name", TEXT, "the crystal; its module's name"),
    Column("template", TEXT, "the goals that it serves"),
    Column("signature", TEXT, "its parameters"),
    Column("uses", COUNT, "how often its goal was reached before it was made"),
    Column("success", NUMBER, "share of those that succeeded, 0 to 1"),
    Column("status", TEXT, "ready, or why goals do not use it"),
]

#: Every frame's columns, by the name of the function that makes it.
FRAMES: Final = {
    "runs_df": RUNS,
    "steps_df": STEPS,
    "messages_df": MESSAGES,
    "events_df": EVENTS,
    "ledger_df": LEDGER,
    "agents_df": AGENTS,
    "traces_df": TRACES,
}

#: Arguments that can be a step's ``code``; the first that is there, as text, is taken.
CODE_ARGUMENTS: Final = ("code", "command", "content", "new_string", "text", "prompt")
