"""What people may ask for that makes no sense: the words of a command, its exit code, what it says."""

from typing import Final

PAST, FUTURE = "2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"
HI = '{"text": "hi"}'

NONSENSE: Final[list[tuple[list[str], int, str]]] = [
    (
        ["submit", "echo", HI, "--delay", "-5s"],
        2,
        "argument --delay: '-5s' is not a valid duration: write 30s, 5m, 2h or 7d",
    ),
    (["submit", "echo", HI, "--delay=-5"], 2, "'-5' is not a valid duration"),
    (["submit", "echo", HI, "--delay", "5"], 2, "'5' is not a valid duration"),
    (["submit", "echo", HI, "--delay", "40000d"], 2, "longer than 100 years"),
    (["submit", "echo", HI, "--timeout", "-1s"], 2, "'-1s' is not a valid duration"),
    (["submit", "echo", HI, "--timeout", "0s"], 4, "a timeout is a number of seconds, more than 0"),
    (["submit", "echo", HI, "--retries", "-1"], 2, "'-1' is not a valid number"),
    (["submit", "echo", HI, "--at", "yesterday"], 2, "'yesterday' is not a valid time: write 2026-"),
    (["submit", "echo", HI, "--at", "2020-01-01T00:00:00"], 2, "has no zone"),
    (["submit", "echo", HI, "--at", "1960-01-01T00:00:00Z"], 2, "not a valid time: use one between 1970 and 2262"),
    (["submit", "echo", HI, "--at", "9999-01-01T00:00:00Z"], 2, "not a valid time: use one between 1970 and 2262"),
    (["submit", "echo", HI, "--deadline", "1970-01-01T00:00:00Z"], 2, "not a valid time"),
    (["submit", "echo", HI, "--at", PAST, "--delay", "5s"], 2, "not allowed with argument --at"),
    (
        ["submit", "echo", HI, "--at", FUTURE, "--deadline", "2099-01-01T00:00:00Z"],
        4,
        "deadline comes before the start",
    ),
    (["submit", "echo", HI, "--delay", "1h", "--deadline", PAST], 4, "deadline comes before the start"),
    (["submit", "echo", HI, "--id", "self", "--after", "self"], 4, "it would wait for itself: self after self"),
    (["submit", "echo", HI, "--after", "nobody"], 4, "it comes after nobody, and there is no such task"),
    (["schedule", "add", "odd", "61 * * * *", "echo", HI], 4, "'61 * * * *' is not a valid cron line: bad minute"),
    (["schedule", "add", "odd", "-1 * * * *", "echo", HI], 4, "'-1 * * * *' is not a valid cron line: bad minute"),
    (["schedule", "add", "odd", "*/0 * * * *", "echo", HI], 4, "is not a valid cron line: bad minute"),
    (["schedule", "add", "odd", "* * * *", "echo", HI], 4, "it has 4 fields"),
    (["schedule", "add", "odd", "* * * * * *", "echo", HI], 4, "it has 6 fields"),
    (["schedule", "add", "odd", "* * * * * * *", "echo", HI], 4, "it has 7 fields"),
    (["schedule", "add", "odd", "", "echo", HI], 4, "it has 0 fields"),
    (["schedule", "add", "odd", "@often", "echo", HI], 4, "'@often' is not a valid cron line"),
    (["schedule", "add", "odd", "0 0 30 2 *", "echo", HI], 4, "'0 0 30 2 *' is not a valid cron line"),
    (["schedule", "add", "odd", "* " * 5000 + "*", "echo", HI], 4, "a cron line has at most 200 characters"),
    (
        ["schedule", "add", "odd", "* * * * *", "echo", HI, "--zone", "Mars/Phobos"],
        4,
        "is not a valid time zone",
    ),
    (["schedule", "add", "odd", "* * * * *", "echo", "{}"], 4, "needs 'text'"),
    (["schedule", "pause", "odd"], 3, "there is no schedule 'odd'"),
    (["signal", "bad-done", "go"], 4, "the task is completed; an ended task can't take a signal"),
    (["signal", "bad-gone", "go"], 4, "the task is cancelled; an ended task can't take a signal"),
    (["signal", "nobody", "go"], 3, "there is no task 'nobody'"),
    (["signal", "bad-open", ""], 4, "a signal is named by 1 to 256 printable characters"),
    (["fork", "bad-done", "--from", "nowhere"], 4, "the task has no step 'nowhere'; its last steps are 'step-1'"),
    (["fork", "bad-gone", "--from", "step-1"], 4, "the task has no step 'step-1'; it has no steps yet"),
    (["fork", "nobody", "--from", "step-1"], 3, "there is no task 'nobody'"),
    (["fork", "bad-done", "--from", "step-1", "--id", "bad-open"], 4, "exists with a different skill"),
    (["cancel", "bad-done"], 4, "the task is completed; an ended task can't be cancelled"),
    (["pause", "bad-done"], 4, "can't be paused"),
    (["resume", "bad-done"], 4, "can't be resumed"),
    (["retry", "bad-done"], 4, "the task is completed; submit it again under another id"),
    (["retry", "bad-open"], 4, "still going"),
    (["retry", "nobody"], 3, "there is no task 'nobody'"),
    (["redrive", "bad-gone"], 4, "the task is cancelled, not dead"),
    (["edit", "bad-done", "--priority", "high"], 4, "only one that has not run yet can be edited"),
    (["edit", "bad-open", "--at", "1960-01-01T00:00:00Z"], 2, "not a valid time"),
]
"""`bad-done`, `bad-gone`, `bad-open`: a completed, a cancelled, an open task; `step-1` is the first one's only step."""
