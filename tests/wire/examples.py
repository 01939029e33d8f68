"""What is recorded: each event with everything in it and with the least, and whole histories."""

from typing import Any

from clawactors.systems.alarms import events as a
from clawactors.systems.backups import events as b
from clawactors.systems.bridges import events as br
from clawactors.systems.chats import events as h
from clawactors.systems.erasures import events as x
from clawactors.systems.identities import events as joins
from clawactors.systems.keys import events as k
from clawactors.systems.memories import events as m
from clawactors.systems.nodes import events as n
from clawactors.systems.owners import events as o
from clawactors.systems.schedules import events as s
from clawactors.systems.settings import events as i
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.approvals import APPROVAL
from clawactors.systems.tasks.children import CHILDREN
from clawactors.systems.tasks.stepevents import Undo
from clawactors.systems.triggers import events as g
from clawactors.systems.workflows import events as w

__all__ = ["EXAMPLES", "HISTORIES", "SUBJECTS"]

FULL = e.Submitted(
    skill="migrate-table",
    params={"source": "a.db", "batch": 100, "ratio": 0.5, "deep": [{"ü": None}], "big": 2**64},
    name="move it",
    description="ein Gerät — 数据",
    user="ada",
    type="batch",
    priority=4,
    requires=("sqlite",),
    prefers=("ssd", "gpu"),
    affinity={"room": "1"},
    tags=("nightly",),
    metadata={"ticket": 7},
    after=("t-0",),
    not_before_ns=1_800_000_001_000_000_000,
    deadline_ns=1_900_000_000_000_000_000,
    timeout_s=900.0,
    max_retries=0,
)
LEAST = e.Submitted(skill="echo")
CHILD: dict[str, Any] = {
    "skill": "echo",
    "on_dead": "run",
    "fork_of": "t-1",
    "fork_step": "copy-0",
    "parent": "t-0",
    "depth": 3,
    "parent_run": 2,
    "on_parent_cancel": "leave",
}
OF_A_LATER_RUN = e.Submitted(skill="echo", parent="t-0", depth=1, parent_run=3)
REPEATING: dict[str, Any] = {"skill": "echo", "params": {"text": "4711"}, "recalled": ("m-1", "m-2")}
FULL_PLAN = e.Spec(skill="echo", params={"text": "hi"}, user="ada", priority=3, tags=("nightly",), timeout_s=1.5)
WHOLE_PLAN = e.Spec(**({name: getattr(FULL, name) for name in e.Spec.__struct_fields__} | CHILD))
NEXT = 1_800_000_060_000_000_000
STEPS = {"workflow": "nightly", "steps": [{"id": "fetch", "skill": "fetch", "params": {"url": "${params.url}"}}]}
UNSENT = g.TriggerFailure(g.Place("task", "t1", 7, upto=9), "dead", "mail.example.org: timed out", 5, NEXT)
UNDELIVERED = g.TriggerFailure(g.Place("task", "t1", 7, 1), "task.dead", "answered 500", 5, NEXT)
ERROR = e.TaskError("network", "no route to host")
TRACED = e.TaskError("unknown", "KeyError: 1", "Traceback …\nKeyError: 1\n")
UNDO = Undo(":refund", {"args": ["ada"], "kwargs": {}}, auto=True)
BOTH = e.CancelRequested("client/ada", undo=True, now=True)
JOINED = n.NodeJoined(
    incarnation="i1",
    slots=3,
    offers=(
        n.Offer("echo", "2", "Says it again.", (n.Parameter("text", "string|null", False),), True),
        n.Offer("sleep"),
    ),
    affinity={"room": "1"},
    tags=("lab",),
    machine=n.Machine("host-1", "Linux", "x86_64", "127.0.0.1", "100.64.0.1", 4222, 4711),
)


def scheduled(attempt: int = 1, node: str = "n1", incarnation: str = "i1", **more: Any) -> e.Scheduled:
    """Given away."""
    return e.Scheduled(node=node, incarnation=incarnation, attempt=attempt, skill="echo", **more)


FACT = m.Fact(
    subject="林月",
    predicate="lives in",
    object="Berlin",
    negated=True,
    inferred=True,
    confidence=0.8,
    valid_from_ns=-5,
    valid_until_ns=NEXT,
)
MERGED = m.MemoryMerged(occurrence="m-9", sources=(9,), parents=("m-9",), happened_ns=NEXT)
REVISED = m.MemoryRevised(text="again", tags=("x",), sources=(8,), parents=("m-8",), importance=0.75, tone=-0.5)
REMEMBERED = m.MemoryRecorded(
    text="林月 doesn't live in Berlin",
    kind="knowledge",
    owner="ada",
    speaker="林月",
    session="c-1",
    position=7,
    tags=("fact", "lives in"),
    happened_ns=-5,
    sources=(3, 4),
    parents=("m-1",),
    previous="m-0",
    fact=FACT,
    importance=0.25,
    tone=-0.5,
    origin="consolidation",
)
UPDATED = m.MemoryUpdated(
    text="the port is 49222", owner="ada", agent="guide", tags=("ssh",), derived_from=("m-1",), oldest=3, happened_ns=-5
)
_WHOLE = {name: getattr(REMEMBERED, name) for name in m.Content.__struct_fields__}
_WHOLE |= {"agent": "guide", "derived_from": ("m-1",), "oldest": 3}
CONFIGURED = o.OwnerConfigured(
    owner="ada",
    settings=o.OwnerSettings(
        memory=False, retention_days=30, language="it", zone="Europe/Rome", sharing=("bob", "agent:guide")
    ),
)
SAID = h.MessageAdded(
    message="1", role="user", text="我搬到了拉萨", user="ada", speaker="Ada", happened_ns=NEXT, recalled=("m-1",)
)
ASKED_FOR = h.ExtractionRequested("1", "ada", "chat/c-1/1")

MOVED = e.TaskArchived(
    file="000000000003-1f2e3d4c",
    first=3,
    ended="cancelled",
    skill="copy",
    user="ada",
    submitted_ns=1_800_000_000_000_000_000,
    completed_ns=1_800_000_000_500_000_000,
    digest="0123456789abcdef01234567",
)

EXAMPLES: dict[str, tuple[Any, ...]] = {
    "task.submitted": (
        FULL,
        LEAST,
        OF_A_LATER_RUN,
        e.Submitted(**CHILD),
        e.Submitted(**REPEATING),
        e.Submitted(skill="echo", erased=True),
    ),
    "task.ready": (e.Readied(),),
    "task.scheduled": (
        scheduled(7, params={"text": "hi"}, timeout_s=1.5, max_retries=2, failures=1, interruptions=4),
        scheduled(),
        scheduled(8, wakes=True),
        scheduled(9, steps=4, losses=2),
        scheduled(2, user="ada"),
    ),
    "task.started": (e.Started(),),
    "task.returned": (e.Returned("node n1 drains"), e.Returned()),
    "step.started": (e.StepStarted("copy-0"), e.StepStarted("copy-0", 2.0)),
    "step.completed": (
        e.StepCompleted("copy-0", {"rows": [1, None]}, 0.25, 0.5),
        e.StepCompleted("count"),
        e.StepCompleted("charge", 7, fingerprint="f1", undo=UNDO),
        e.StepCompleted("reserve", undo=Undo("shop.stock:release")),
    ),
    "step.failed": (e.StepFailed("copy-0", "disk full", 0.25), e.StepFailed("copy-0")),
    "step.undo_failed": (e.StepUndoFailed("copy-0", "no route to host", 0.25), e.StepUndoFailed("copy-0")),
    "step.compensated": (e.StepCompensated("copy-0", 0.25), e.StepCompensated("copy-0")),
    "task.waiting": (
        *(e.Waiting(reason, 1_800_000_001_000_000_000, "approved") for reason in ("dependency", "timer", "retry")),
        e.Waiting("signal"),
        e.Waiting("timer", NEXT, "", (e.DurableWait("timer", NEXT), e.DurableWait("signal", 0, "go")), True, True),
        e.Waiting("signal", 0, "go", parked=True, progress=0.25),
    ),
    "task.interrupted": (e.Interrupted("node n1: silent", counted=False, dead=True), e.Interrupted("")),
    "task.attempt_failed": (
        e.AttemptFailed(error=ERROR, then="retry", retry_at_ns=1_800_000_001_000_000_000),
        *(e.AttemptFailed(error=ERROR, then=then) for then in ("failed", "dead")),
        e.AttemptFailed(error=ERROR, then="dead", max_retries=0),
        e.AttemptFailed(error=TRACED, then="retry", retry_at_ns=NEXT, elsewhere=True),
        e.AttemptFailed(error=TRACED, then="blocked"),
    ),
    "task.completed": (e.Completed({"rows": 7, "names": ["a", None]}), e.Completed()),
    "task.continued": (
        e.Continued(run=3, params={"cursor": 100}, taken={"go": 2}, idle=True),
        e.Continued(run=2),
    ),
    "task.unparked": (e.Unparked("node n1 stops"), e.Unparked()),
    "task.cancel_requested": (
        e.CancelRequested("client/ada"),
        e.CancelRequested(),
        e.CancelRequested("", now=True),
        BOTH,
    ),
    "task.compensating": (e.Compensating("dead", ERROR), e.Compensating("cancelled")),
    "task.cancelled": (e.Cancelled(),),
    "task.paused": (e.Paused("client/ada"), e.Paused()),
    "task.resumed": (e.Resumed(),),
    "task.blocked": (e.Blocked("its journal does not fit the code"), e.Blocked("t-1 is dead", "dependency")),
    "task.unblocked": (e.Unblocked(),),
    "task.retried": (
        e.Retried("client/ada"),
        e.Retried(),
        e.Retried("client/ada", 1_800_000_001_000_000_000),
        e.Retried("", 0),
    ),
    "task.signalled": (e.Signalled("approved", {"by": "ada"}), e.Signalled("go")),
    "task.archived": (e.TaskArchived(), MOVED),
    "task.deleted": (e.Deleted("client/ada"), e.Deleted()),
    "task.edited": (
        e.Edited(**{name: getattr(FULL, name) for name in e.Spec.__struct_fields__}),
        e.Edited(skill="echo", on_dead="run", fork_of="t-1", fork_step="copy-0"),
        e.Edited(**CHILD),
        e.Edited(**REPEATING),
        e.Edited(skill="echo", erased=True),
    ),
    "task.expired": (e.Expired(ERROR),),
    "task.forked": (
        e.Forked((e.InheritedStep("copy-0", {"rows": [1, None]}, 0.25, "f1"), e.InheritedStep("count"))),
        e.Forked(()),
    ),
    "task.fork_made": (e.ForkMade("t-2", "copy-0"),),
    "task.approval_asked": (
        e.ApprovalAsked(
            name="approval#2",
            question="deploy?",
            by=("ops",),
            until_ns=1_700_000_000_000_000_000,
            default="approve",
            asked_ns=1_600_000_000_000_000_000,
            reminders=2,
        ),
        e.ApprovalAsked(name="approval", question="?"),
    ),
    "task.approval_answered": (
        e.ApprovalAnswered("approval", True, "client/ada", "as we said"),
        e.ApprovalAnswered("approval", False),
    ),
    "task.approval_withdrawn": (e.ApprovalWithdrawn("approval"),),
    "memory.recorded": (
        REMEMBERED,
        m.MemoryRecorded(text="a note"),
        m.MemoryRecorded(**_WHOLE),
        m.MemoryRecorded(
            text="a fact", fact=m.Fact(subject="ada", predicate="lives in", object="Rome", exclusive=True)
        ),
    ),
    "memory.merged": (MERGED, m.MemoryMerged(occurrence="m-9")),
    "memory.revised": (REVISED, m.MemoryRevised(text="again")),
    "memory.superseded": (m.MemorySuperseded("m-2", NEXT, "contradicted"), m.MemorySuperseded("m-2", 0)),
    "memory.believed": (m.MemoryBelieved(0.5, "stated again"), m.MemoryBelieved(1.0)),
    "memory.weighed": (m.MemoryWeighed(0.5),),
    "memory.updated": (UPDATED, m.MemoryUpdated(text="a note"), m.MemoryUpdated(**_WHOLE)),
    "memory.used": (m.MemoryUsed(3),),
    "memory.archived": (m.MemoryArchived("faded"), m.MemoryArchived()),
    "memory.restored": (m.MemoryRestored(),),
    "owner.configured": (CONFIGURED, o.OwnerConfigured(owner="ada", settings=o.OwnerSettings())),
    "owner.forgotten": (
        o.OwnerForgotten(
            owner="ada",
            forgetting=o.Forgetting(upto=9, session="c-1", agent="guide", since_ns=-5, until_ns=NEXT),
            reason="asked",
        ),
        o.OwnerForgotten(owner="*", forgetting=o.Forgetting(upto=9)),
    ),
    "erasure.begun": (
        x.ErasureBegun(request="r-1", keys=("k1", "k2"), by="client/ada", reason="asked"),
        x.ErasureBegun(request="r-1"),
    ),
    "erasure.finished": (
        x.ErasureFinished(request="r-1", erased=x.Erased(9, {"task": 2, "chat": 1}, 3, 1, 4)),
        x.ErasureFinished(request="r-1"),
    ),
    "task.recalled": (e.Recalled(("m-1", "m-2")),),
    "memory.forgotten": (m.MemoryForgotten("client/ada"), m.MemoryForgotten(), m.MemoryForgotten("asked", 4)),
    "chat.said": (
        SAID,
        h.MessageAdded(message="3", role="user", text="hi", user="ada", agent="guide"),
        *(h.MessageAdded(message="2", role=role, text="hi") for role in ("user", "assistant", "system", "tool")),
    ),
    "chat.extraction_requested": (ASKED_FOR,),
    "schedule.added": (
        s.ScheduleAdded(
            cron="30 2 * * 1-5", task=FULL_PLAN, zone="Europe/Berlin", catch_up="fire", next_ns=NEXT, by="client/ada"
        ),
        s.ScheduleAdded(cron="* * * * *", task=e.Spec(skill="echo"), next_ns=NEXT),
        s.ScheduleAdded(cron="* * * * *", task=WHOLE_PLAN, next_ns=NEXT),
        s.ScheduleAdded(cron="* * * * *", task=e.Spec(**REPEATING), next_ns=NEXT),
        s.ScheduleAdded(cron="* * * * *", task=e.Spec(skill="echo", erased=True), next_ns=NEXT),
    ),
    "schedule.paused": (s.SchedulePaused("client/ada"), s.SchedulePaused()),
    "schedule.resumed": (s.ScheduleResumed(NEXT, "client/ada"), s.ScheduleResumed(NEXT)),
    "schedule.fired": (
        s.ScheduleFired(due_ns=NEXT, times=(NEXT, NEXT + 60), next_ns=NEXT + 120),
        s.ScheduleFired(due_ns=NEXT),
    ),
    "schedule.removed": (s.ScheduleRemoved("client/ada"), s.ScheduleRemoved()),
    "trigger.added": (
        g.TriggerAdded(on=("task.dead",), task=e.Spec(skill="echo", erased=True)),
        g.TriggerAdded(
            on=("task.completed", "node.*"),
            where='task.skill == "fetch"',
            task=FULL_PLAN,
            allow_loop=True,
            rate=5,
            by="client/ada",
        ),
        g.TriggerAdded(on=("task.dead",), webhook="https://example.org/hook", secret="hook"),  # noqa: S106 - a name
        g.TriggerAdded(on=("task.dead",), publish="app.dead"),
        g.TriggerAdded(on=("task.dead",), notify=g.Notification(to="desktop", when=("dead",))),
        g.TriggerAdded(
            on=("task.dead", "alarm.raised", "alarm.cleared"),
            notify=g.Notification(
                to="mailto:ops@example.org", when=("dead", "disk"), every_s=600.0, skill="im*", tag="x", user="ada"
            ),
        ),
        g.TriggerAdded(on=("task.dead",), task=WHOLE_PLAN),
        g.TriggerAdded(on=("task.dead",), task=e.Spec(**REPEATING)),
    ),
    "trigger.paused": (g.TriggerPaused("client/ada"), g.TriggerPaused()),
    "trigger.resumed": (g.TriggerResumed("client/ada"), g.TriggerResumed()),
    "trigger.stopped": (g.TriggerStopped("loop: it sets itself off"),),
    "trigger.advanced": (
        g.TriggerAdvanced(position=9, fired=3, failures=(UNDELIVERED,), redone=(UNDELIVERED.place,)),
        g.TriggerAdvanced(position=9),
        g.TriggerAdvanced(position=9, failures=(UNSENT,)),
    ),
    "trigger.redriven": (g.TriggerRedriven((UNDELIVERED.place,), "client/ada"), g.TriggerRedriven(())),
    "trigger.muted": (g.TriggerMuted(NEXT, "client/ada"), g.TriggerMuted(0)),
    "bridge.allowed": (
        br.ChatAllowed(chat="-50", member="7", name="ada", skills=("import-*",), by="client/ada"),
        br.ChatAllowed(chat="7", name="chat-7"),
    ),
    "bridge.disallowed": (br.ChatDisallowed("-50", "7", "client/ada"), br.ChatDisallowed("7")),
    "bridge.answering": (br.BridgeAnswering("12-101"),),
    "bridge.advanced": (
        br.BridgeAdvanced(place="12:101", ignored=2, strangers=(br.Stranger("66", "66", "eve"),)),
        br.BridgeAdvanced(place="12:102"),
    ),
    "bridge.numbered": (br.ApprovalsNumbered((br.Ask("t1", "approval", "2026-05-01T09:00:00+00:00", 17),)),),
    "alarm.raised": (a.AlarmRaised("the disk is 93 % full"),),
    "alarm.cleared": (a.AlarmCleared("the disk is 80 % full"),),
    "apikey.added": (
        k.KeyAdded(
            sha256="0" * 64,
            scopes=("read", "tasks"),
            user="ada",
            expires_ns=2_000_000_000_000_000_000,
            rate_per_s=1.5,
            quota_per_day=100,
            by="client/ada",
        ),
        k.KeyAdded(sha256="0" * 64),
    ),
    "apikey.revoked": (k.KeyRevoked("client/ada"), k.KeyRevoked()),
    "identity.invited": (
        joins.IdentityInvited(
            role="node", sha256="0" * 64, expires_ns=NEXT, uses=3, skills=("skills.py",), by="client/ada"
        ),
        joins.IdentityInvited(role="client", sha256="0" * 64, expires_ns=1),
    ),
    "identity.joined": (
        joins.IdentityJoined(role="node", public_key=f"U{'A' * 55}", host="gpu-box", invitation="gpu"),
        joins.IdentityJoined(role="observer", public_key=f"U{'B' * 55}"),
    ),
    "identity.used": (joins.IdentityUsed("gpu-1", f"U{'A' * 55}"),),
    "identity.renewed": (joins.IdentityRenewed(f"U{'B' * 55}"),),
    "identity.revoked": (joins.IdentityRevoked("client/ada", "sold"), joins.IdentityRevoked()),
    "backup.planned": (
        b.BackupsPlanned(folder="/backups", every_s=86_400.0, copies=30, by="client/ada"),
        b.BackupsPlanned(folder="/backups", every_s=3600.5),
        b.BackupsPlanned(folder="/backups", every_s=3600.5, by="control/control", of_settings=True),
    ),
    "backup.stopped": (
        b.BackupsStopped("client/ada"),
        b.BackupsStopped(),
        b.BackupsStopped("control/control", of_settings=True),
    ),
    "backup.made": (
        b.BackupMade(file="/backups/a.tar", size_bytes=9, last_seq=7, seconds=1.5, planned=True, by="client/ada"),
        b.BackupMade(file="/backups/a.tar", size_bytes=9, last_seq=7),
    ),
    "backup.failed": (b.BackupFailed("the disk is full"),),
    "setting.changed": (
        i.SettingsChanged(
            changes={"archive.after": 604_800.0, "memory.extracts": False, "log.level": None},
            reason="the disk is nearly full",
            rolled_back_to=3,
            by="client/ada",
        ),
        i.SettingsChanged(changes={"node.slots": 5}),
    ),
    "workflow.added": (
        w.WorkflowAdded(version=2, definition=STEPS, by="client/ada"),
        w.WorkflowAdded(version=1, definition={"$blob": "0" * 64, "bytes": 90_000}),
    ),
    "workflow.removed": (w.WorkflowRemoved("client/ada"), w.WorkflowRemoved()),
    "trigger.dropped": (g.TriggerDropped((UNDELIVERED.place,), "client/ada"), g.TriggerDropped(())),
    "trigger.removed": (g.TriggerRemoved("client/ada"), g.TriggerRemoved()),
    "node.joined": (
        JOINED,
        n.NodeJoined(incarnation="i1"),
        n.NodeJoined(incarnation="i1", offers=(n.Offer("ask", lacks=("openai",), concurrency=4),)),
        n.NodeJoined(incarnation="i1", offers=(n.Offer("pay", recover="look"),)),
        n.NodeJoined(incarnation="i1", offers=(n.Offer("ask", timeout_s=1.5, errors=("quota: give_up",)),)),
    ),
    "node.left": (n.NodeLeft("i1", "stopped"), n.NodeLeft("i1")),
    "node.lost": (n.NodeLost("i1", "no heartbeat for 1.8 s"), n.NodeLost("i1")),
    "node.returned": (n.NodeReturned("i1"),),
    "node.drained": (n.NodeDrained(), n.NodeDrained(held=True)),
    "node.cordoned": (n.NodeCordoned(),),
    "node.uncordoned": (n.NodeUncordoned(),),
    "node.configured": (n.NodeConfigured(0, {}), n.NodeConfigured(slots=9), n.NodeConfigured()),
    "node.removed": (n.NodeRemoved(),),
}

LOST = e.Interrupted("node n1: no heartbeat")
ASKED = e.CancelRequested("client/ada")
GO = e.DurableWait("signal", 0, "go")
type Bodies = list[tuple[Any, ...] | bytes]

HISTORIES: dict[str, tuple[str, Bodies]] = {
    "task-fast": ("task", [(LEAST,), (scheduled(),), (e.Started(), e.StepCompleted("count", 3), e.Completed(3))]),
    "task-admitted": (
        "task",
        [
            (e.Submitted(skill="echo", params={"text": "hi"}), scheduled()),
            (e.Started(),),
            (e.Completed("by another node"),),
            b'{"v":1,"events":[{"type":"task.moved","to":"n2"}]}',
            (e.Signalled("go"),),
            (e.StepCompleted("count", 3), e.Completed(3)),
            (e.Retried("client/ada"),),
        ],
    ),
    "task-retried": (
        "task",
        [
            (LEAST,),
            (scheduled(),),
            (e.Started(),),
            (e.StepCompleted("count", 3, 0.1, 0.5),),
            (e.StepFailed("copy", "no route"), e.AttemptFailed(error=ERROR, then="retry", retry_at_ns=1)),
            (e.Readied(),),
            (scheduled(2, "n2", "j1", failures=1),),
            (e.Started(), e.AttemptFailed(error=ERROR, then="dead")),
            (e.Retried("client/ada"),),
            (scheduled(3),),
            (e.Started(), e.StepStarted("copy"), e.StepCompleted("copy", 7), e.Completed(7)),
        ],
    ),
    "task-killed-five-times": (
        "task",
        [
            (LEAST,),
            *((scheduled(attempt), e.Started(), LOST) for attempt in range(1, 5)),
            (scheduled(5), e.Started(), e.Interrupted("node n1: no heartbeat", dead=True)),
        ],
    ),
    "task-held": (
        "task",
        [
            (LEAST,),
            (scheduled(),),
            (e.Started(),),
            (e.Paused("client/ada"),),
            (e.StepCompleted("count", 3),),
            (e.Resumed(),),
            (scheduled(2),),
            (e.Returned("node n1 drains"),),
            (e.Blocked("approve it"),),
            (e.Signalled("approved", True), e.Unblocked()),
            (scheduled(3),),
            (e.Started(), e.StepCompensated("count")),
            (e.Waiting("signal", 0, "go"),),
        ],
    ),
    "task-undone": (
        "task",
        [
            (LEAST,),
            (scheduled(),),
            (e.Started(),),
            (e.StepStarted("charge", 2.0),),
            (e.StepCompleted("charge", 7, undo=Undo(":refund", {"args": ["ada"], "kwargs": {}}, auto=True)),),
            (e.StepCompleted("reserve", undo=Undo("shop.stock:release", auto=True)),),
            (e.Compensating("dead", ERROR),),
            (e.Interrupted("n1 was lost"),),
            (scheduled(2, "n2", "i2"),),
            (e.Started(),),
            (e.StepUndoFailed("reserve", "network: gone", 0.5),),
            (e.StepCompensated("charge", 0.1),),
            (e.AttemptFailed(error=ERROR, then="dead"),),
            (e.Retried(), e.CancelRequested("client/ada", undo=True), e.Compensating("cancelled", ERROR)),
        ],
    ),
    "task-continued": (
        "task",
        [
            (LEAST,),
            (scheduled(),),
            (e.Started(), e.StepCompleted("count", 3), e.Signalled("go", 1), e.Signalled("go", 2)),
            (e.Continued(run=2, params={"n": 2}, taken={"go": 1}),),
            (scheduled(2, "n2", "i2"),),
            (e.Started(), e.StepStarted("copy"), e.Interrupted("n2 was lost")),
            (scheduled(3, interruptions=1),),
            (
                e.Started(),
                e.StepCompleted("recovery:1/look"),
                e.StepCompleted("recovery:1"),
                e.StepCompleted("patched:p"),
            ),
            (e.Continued(run=9),),
            (e.Continued(run=3, idle=True),),
            (e.Readied(),),
            (scheduled(4),),
            (e.Started(), e.Completed(3)),
        ],
    ),
    "task-parked": (
        "task",
        [
            (LEAST,),
            (scheduled(),),
            (e.Started(), e.Waiting("timer", NEXT, "", (e.DurableWait("timer", NEXT), GO), parked=True)),
            (e.Signalled("go", 1), e.Readied(), scheduled(2, wakes=True)),
            (e.Started(), e.Waiting("timer", NEXT, parked=True, limited=True)),
            (e.Unparked("node n1 stops"),),
            (e.Readied(),),
            (scheduled(3, "n2", "i2"),),
            (e.Started(), e.Waiting("signal", 0, "stop", parked=True)),
            (ASKED, e.Readied(), scheduled(4, "n2", "i2", wakes=True)),
            (e.Started(), e.StepCompleted("release")),
            (BOTH,),
            (e.Cancelled(),),
        ],
    ),
    "task-parked-and-paused": (
        "task",
        [
            (LEAST,),
            (scheduled(),),
            (e.Started(), e.Waiting("signal", 0, "go", parked=True)),
            (e.Paused("client/ada"),),
            (e.Signalled("go", 1),),
            (e.Resumed(),),
            (e.Readied(),),
            (e.Interrupted("n1 was lost"),),
            (scheduled(2, "n2", "i2"),),
            (e.Started(), e.Completed(1)),
        ],
    ),
    "task-approved": (
        "task",
        [
            (LEAST,),
            (scheduled(),),
            (e.Started(), e.ApprovalAsked(name="approval", question="deploy?", by=("ops",), until_ns=NEXT, asked_ns=1)),
            (e.Waiting("signal", NEXT, f"{APPROVAL}approval", parked=True),),
            (e.ApprovalAsked(name="approval", question="deploy?", by=("ops",), asked_ns=1, reminders=1),),
            (
                e.ApprovalAnswered("approval", True, "client/ops", "well"),
                e.Signalled(f"{APPROVAL}approval", {"approved": True, "by": "client/ops", "comment": "well"}),
                e.Readied(),
                scheduled(2, wakes=True),
            ),
            (e.ApprovalAnswered("approval", False, "client/eve"),),
            (e.Started(), e.Completed(True)),
        ],
    ),
    "task-of-a-parent-and-with-children": (
        "task",
        [
            (e.Submitted(skill="echo", parent="t-0", depth=1, on_parent_cancel="leave"),),
            (scheduled(),),
            (e.Started(), e.Waiting("signal", 0, CHILDREN, parked=True)),
            (
                e.Signalled(CHILDREN, [{"id": "c-1", "version": 7, "status": "completed", "result": 3}]),
                e.Readied(),
                scheduled(2, wakes=True),
            ),
            (e.Started(), e.AttemptFailed(error=e.TaskError("child", "task c-2 is dead"), then="failed")),
        ],
    ),
    "task-moved": ("task", [(FULL,), (ASKED, e.Cancelled()), (MOVED,), (e.Deleted(),)]),
    "task-tombstone": ("task", [(MOVED,), (e.Retried(),)]),
    "task-cancelled": ("task", [(FULL,), (e.Readied(),), (e.Readied(),), (ASKED, e.Cancelled()), (e.TaskArchived(),)]),
    "task-cancelled-while-running": (
        "task",
        [(LEAST,), (scheduled(),), (e.Started(),), (ASKED,), (e.StepCompleted("a"), e.Cancelled())],
    ),
    "task-with-garbage": (
        "task",
        [
            b"hello",
            (LEAST,),
            b'{"v":1,"events":[{"type":"task.completed","result":"by hand"}]}',
            (scheduled(9),),
            b'{"v":1,"events":[]}',
            (scheduled(1),),
            b'{"v":1,"events":[{"type":"task.started","later":1}]}',
        ],
    ),
    "task-of-a-later-release": (
        "task",
        [(LEAST,), (scheduled(),), b'{"v":1,"events":[{"type":"task.moved","to":"n2"}]}', (e.Started(), e.Completed())],
    ),
    "task-forked": (
        "task",
        [
            (e.Submitted(skill="echo", fork_of="t-1", fork_step="copy"),),
            (e.Forked((e.InheritedStep("count", 3, 0.1, "f1"),)), e.Readied()),
            (e.Edited(skill="echo", fork_of="t-1", fork_step="copy", priority=4),),
            (scheduled(steps=1),),
            (e.Started(), e.ForkMade("t-2", "copy")),
            (e.AttemptFailed(error=ERROR, then="retry", retry_at_ns=NEXT, elsewhere=True),),
            (e.Expired(e.TaskError("timeout", "its deadline has passed")),),
            (e.Deleted("client/ada"),),
        ],
    ),
    "task-retried-with-another-deadline": (
        "task",
        [
            (e.Submitted(skill="echo", deadline_ns=NEXT),),
            (e.Expired(e.TaskError("timeout", "its deadline has passed")),),
            (e.Retried("client/ada", 2 * NEXT),),
        ],
    ),
    "task-failed-with-a-traceback": (
        "task",
        [
            (LEAST, scheduled()),
            (
                e.Started(),
                e.AttemptFailed(error=e.TaskError("unknown", "KeyError: 1", "Traceback …\nKeyError: 1\n"), then="dead"),
            ),
        ],
    ),
    "task-after-the-dead": (
        "task",
        [
            (e.Submitted(skill="echo", after=("t-0", "t-1"), on_dead="fail"),),
            (e.Paused(),),
            (e.Resumed(),),
            (e.Blocked("its predecessor t-1 is dead"),),
            (e.Retried("client/ada"),),
            (scheduled(),),
            (e.Started(), e.AttemptFailed(error=ERROR, then="blocked")),
        ],
    ),
    "task-blocked-by-others": (
        "task",
        [
            (e.Submitted(skill="echo", after=("t-0", "t-1"), on_dead="block"),),
            (e.Blocked("its predecessor t-1 is dead", "dependency"),),
            (e.Waiting("dependency"),),
            (e.Blocked("its predecessor t-1 is dead", "dependency"),),
            (e.Paused(),),
            (e.Resumed(),),
            (e.Readied(),),
            (scheduled(),),
        ],
    ),
    "task-failed-with-others": (
        "task",
        [
            (e.Submitted(skill="echo", after=("t-1",), on_dead="fail"),),
            (e.Expired(e.TaskError("dependency", "its predecessor t-1 is dead")),),
            (e.Retried("client/ada"),),
        ],
    ),
    "memory-life": (
        "memory",
        [
            (REMEMBERED,),
            (MERGED,),
            (m.MemoryBelieved(0.5),),
            (m.MemorySuperseded("m-2", NEXT, "contradicted"),),
            (REVISED, m.MemoryWeighed(0.5)),
            (m.MemoryArchived("faded"),),
            (m.MemoryRestored(),),
            (MERGED,),
        ],
    ),
    "memory-forgotten": (
        "memory",
        [(m.MemoryWeighed(0.5),), (REMEMBERED,), b"hello", (m.MemoryForgotten(),), (MERGED,)],
    ),
    "memory-again": (
        "memory",
        [
            (REMEMBERED,),
            (m.MemoryUsed(2),),
            (UPDATED,),
            (m.MemoryForgotten("asked", 4),),
            (UPDATED,),
            (REMEMBERED,),
            (m.MemoryForgotten("asked", 5),),
        ],
    ),
    "owner-life": (
        "owner",
        [
            (CONFIGURED,),
            (o.OwnerForgotten(owner="ada", forgetting=o.Forgetting(upto=7, session="c-1")),),
            b"hello",
            (o.OwnerForgotten(owner="ada", forgetting=o.Forgetting(upto=9)),),
            (o.OwnerConfigured(owner="ada", settings=o.OwnerSettings()),),
        ],
    ),
    "chat-life": (
        "chat",
        [(SAID, ASKED_FOR), (h.MessageAdded(message="2", role="assistant", text="hi"),), (SAID,), (ASKED_FOR,)],
    ),
    "schedule-life": (
        "schedule",
        [
            (s.ScheduleAdded(cron="* * * * *", task=FULL_PLAN, zone="Europe/Berlin", next_ns=NEXT, by="client/ada"),),
            (s.ScheduleFired(due_ns=1, times=(1,), next_ns=2),),
            (s.ScheduleFired(due_ns=NEXT, times=(NEXT,), next_ns=NEXT + 60),),
            (s.SchedulePaused(),),
            (s.ScheduleResumed(NEXT + 120),),
            b"hello",
            (s.ScheduleFired(due_ns=NEXT + 120, next_ns=NEXT + 180),),
            (s.ScheduleRemoved("client/ada"),),
        ],
    ),
    "apikey-life": (
        "apikey",
        [
            (k.KeyRevoked("client/ada"),),
            (k.KeyAdded(sha256="1" * 64, scopes=("admin",), by="client/ada"),),
            (k.KeyAdded(sha256="2" * 64),),
            b"hello",
            (k.KeyRevoked("client/bob"),),
            (k.KeyAdded(sha256="3" * 64, quota_per_day=5),),
        ],
    ),
    "identity-life": (
        "identity",
        [
            (joins.IdentityRevoked("client/ada"),),
            (joins.IdentityInvited(role="node", sha256="1" * 64, expires_ns=NEXT, by="client/ada"),),
            (joins.IdentityInvited(role="node", sha256="2" * 64, expires_ns=NEXT),),
            b"hello",
            (joins.IdentityJoined(role="node", public_key=f"U{'A' * 55}", host="gpu-box"),),
            (joins.IdentityJoined(role="client", public_key=f"U{'B' * 55}"),),
            (joins.IdentityInvited(role="client", sha256="3" * 64, expires_ns=NEXT),),
            (joins.IdentityRenewed(f"U{'C' * 55}"),),
            (joins.IdentityRevoked("client/bob", "sold"),),
            (joins.IdentityUsed("gpu-1", f"U{'D' * 55}"),),
            (joins.IdentityInvited(role="client", sha256="4" * 64, expires_ns=NEXT, uses=2),),
            (joins.IdentityUsed("gpu-2", f"U{'E' * 55}"),),
        ],
    ),
    "backup-life": (
        "backup",
        [
            (b.BackupMade(file="/backups/a.tar", size_bytes=9, last_seq=7, by="client/ada"),),
            (b.BackupFailed("without a plan nothing can fail"),),
            (b.BackupsPlanned(folder="/backups", every_s=86_400.0, by="client/ada"),),
            b"hello",
            (b.BackupMade(file="/backups/b.tar", size_bytes=9, last_seq=8, seconds=2.0, planned=True),),
            (b.BackupFailed("the disk is full"),),
            (b.BackupsStopped(),),
        ],
    ),
    "backup-as-set": (
        "backup",
        [
            (b.BackupsStopped(of_settings=True),),
            (b.BackupsPlanned(folder="/a", every_s=60, of_settings=True),),
            (b.BackupsPlanned(folder="/b", every_s=90),),
            (b.BackupsStopped(of_settings=True),),
            (b.BackupsPlanned(folder="/a", every_s=60, of_settings=True),),
            (b.BackupsStopped(of_settings=True),),
        ],
    ),
    "setting-life": (
        "setting",
        [
            (i.SettingsChanged(changes={"archive.after": 604_800.0, "node.slots": 8}, by="client/ada"),),
            (i.SettingsChanged(changes={}),),
            b"hello",
            (i.SettingsChanged(changes={"of.a.later.release": {"deep": [1]}}, reason="newer"),),
            (i.SettingsChanged(changes={"node.slots": None}, rolled_back_to=1, by="client/ada"),),
        ],
    ),
    "workflow-life": (
        "workflow",
        [
            (w.WorkflowAdded(version=1, definition=STEPS, by="client/ada"),),
            (w.WorkflowAdded(version=3, definition=STEPS),),
            (w.WorkflowAdded(version=2, definition={"$blob": "0" * 64, "bytes": 90_000}),),
            b"hello",
            (w.WorkflowRemoved("client/ada"),),
            (w.WorkflowAdded(version=3, definition=STEPS),),
        ],
    ),
    "trigger-life": (
        "trigger",
        [
            (g.TriggerAdded(on=("task.dead",), webhook="https://example.org/hook", by="client/ada"),),
            (g.TriggerAdvanced(position=5),),
            (g.TriggerAdvanced(position=9, fired=2, failures=(UNDELIVERED,)), g.TriggerStopped("loop: it loops")),
            (g.TriggerAdvanced(position=7, fired=2),),
            b"hello",
            (g.TriggerResumed(),),
            (g.TriggerRedriven((UNDELIVERED.place,)),),
            (g.TriggerAdvanced(position=9, fired=1, redone=(UNDELIVERED.place,)),),
            (g.TriggerPaused(),),
            (g.TriggerRemoved("client/ada"),),
        ],
    ),
    "notification-life": (
        "trigger",
        [
            (g.TriggerAdded(on=("task.dead",), notify=g.Notification(to="desktop", when=("dead",))),),
            (g.TriggerMuted(NEXT, "client/ada"),),
            (g.TriggerAdvanced(position=9, failures=(UNSENT,)),),
            (g.TriggerRedriven((UNSENT.place,)),),
            (g.TriggerMuted(0),),
            (g.TriggerAdvanced(position=12, fired=1, redone=(UNSENT.place,)),),
            (g.TriggerRemoved(),),
        ],
    ),
    "bridge-life": (
        "bridge",
        [
            (br.ChatAllowed(chat="7", name="ada"),),
            (br.BridgeAdvanced(place="12:101", ignored=2, strangers=(br.Stranger("66", "66", "eve"),)),),
            (br.ApprovalsNumbered((br.Ask("t1", "approval", "2026-05-01T09:00:00+00:00", 1),)),),
            (br.BridgeAnswering("12-102"),),
            b"hello",
            (br.BridgeAdvanced(place="12:102"),),
            (br.ChatAllowed(chat="7", name="bob", skills=("*",)),),
            (br.ChatDisallowed("7"),),
        ],
    ),
    "alarm-life": (
        "alarm",
        [
            (a.AlarmRaised("the disk is 93 % full"),),
            (a.AlarmRaised("the disk is 95 % full"),),
            b"hello",
            (a.AlarmCleared("the disk is 80 % full"),),
            (a.AlarmCleared("the disk is 70 % full"),),
        ],
    ),
    "node-life": (
        "node",
        [
            (JOINED,),
            (n.NodeCordoned(),),
            (n.NodeLost("i1", "no heartbeat"),),
            (n.NodeReturned("i1"),),
            (n.NodeUncordoned(), n.NodeConfigured(9, {"room": "2"})),
            (n.NodeDrained(),),
            (n.NodeLeft("i1", "stopped"),),
            (n.NodeReturned("i1"),),
        ],
    ),
    "node-replaced": (
        "node",
        [
            (JOINED,),
            (n.NodeLost("i1"),),
            (n.NodeRemoved(),),
            (n.NodeJoined(incarnation="i2"),),
            (n.NodeLost("i1"), n.NodeLeft("i1")),
        ],
    ),
}

SUBJECTS = {
    "task-admitted": ("to.n1", "from.n1", "from.n2", "from.n2", "to.n1", "from.n1", "log"),
}
"""Where the commits of a history are stored, if not by turns under `log` and `to.n1`."""
