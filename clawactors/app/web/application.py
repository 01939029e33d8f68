"""Puts the paths, the errors and the pages together."""

from typing import Any, Final, Protocol

from litestar import Litestar, Request, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig

from clawactors.app.web.documented import document_problems
from clawactors.app.web.guard import Guard
from clawactors.app.web.health import ClusterHealth, health_routes
from clawactors.app.web.hub import EventHub
from clawactors.app.web.keyring import Asker, KeyRing
from clawactors.app.web.limits import WebLimits
from clawactors.app.web.outputs import OutputHub
from clawactors.app.web.pages import page_routes
from clawactors.app.web.problems import answer_problem
from clawactors.app.web.routes.batches import BatchRoutes
from clawactors.app.web.routes.cluster import ClusterRoutes
from clawactors.app.web.routes.configuration import BridgeRoutes, ConfigRoutes, NotificationRoutes
from clawactors.app.web.routes.deadletters import DeadLetterRoutes
from clawactors.app.web.routes.events import EventRoutes
from clawactors.app.web.routes.files import FileRoutes, TaskFileRoutes
from clawactors.app.web.routes.identities import IdentityRoutes
from clawactors.app.web.routes.keys import KeyRoutes
from clawactors.app.web.routes.memories import ConversationRoutes, MemoryOwnerRoutes, MemoryRoutes
from clawactors.app.web.routes.nodes import ApprovalRoutes, NodeRoutes, SkillRoutes
from clawactors.app.web.routes.schedules import BackupRoutes, ScheduleRoutes, TriggerRoutes
from clawactors.app.web.routes.session import SessionRoutes, login_route
from clawactors.app.web.routes.taskchanges import ManyTasksRoutes, TaskChangeRoutes
from clawactors.app.web.routes.taskreading import TaskReadingRoutes
from clawactors.app.web.routes.tasks import TaskListRoutes, TaskRoutes
from clawactors.app.web.routes.workflows import DefinitionRoutes, WorkflowRoutes
from clawactors.app.web.unknown import checked_request
from clawactors.app.weblogin import WebLogin
from clawactors.runtime.client import ClusterClient
from clawactors.systems.keys.kind import KEYS
from clawactors.version import VERSION

__all__ = ["API", "Clients", "routed_application", "web_application"]

API: Final = "/api/v1"

_ROUTES: Final = (
    *(TaskRoutes, TaskListRoutes, TaskReadingRoutes, TaskChangeRoutes, ManyTasksRoutes, BatchRoutes, TaskFileRoutes),
    *(ApprovalRoutes, ScheduleRoutes, TriggerRoutes, BackupRoutes, WorkflowRoutes, DefinitionRoutes, NodeRoutes),
    *(SkillRoutes, MemoryRoutes, MemoryOwnerRoutes, ConversationRoutes, ClusterRoutes, FileRoutes, SessionRoutes),
    *(EventRoutes, ConfigRoutes, NotificationRoutes, BridgeRoutes, KeyRoutes, IdentityRoutes, DeadLetterRoutes),
)


_BODY_MAX_BYTES: Final = 64 << 20
"""What a task may hold; files and batches are read as they come, and have no limit."""


class Clients(Protocol):
    """Where the client of a user comes from."""

    async def client(self, user: str = "", principal: str = "") -> ClusterClient:
        """The client that acts for the user, '' for nobody; `principal` is on record, by default that user's.

        Without both it is that of who runs this process.
        """
        ...


def web_application(clients: Clients, login: WebLogin, port: int, limits: WebLimits) -> Guard:
    """The ASGI application that asks through these clients, for who signs in at this port."""
    keys = KeyRing(clients.client)
    application = routed_application(clients, login, keys, port)
    guard = Guard(application, login, keys, port, limits)
    application.state.hub.watch(KEYS.name, guard.key_changed)
    return guard


def routed_application(clients: Clients, login: WebLogin, keys: KeyRing, port: int) -> Litestar:
    """The same without the guard, which every request has to pass."""

    async def claw(request: Request[Any, Any, Any]) -> ClusterClient:
        asker: Asker = request.scope["state"]["asker"]
        return await clients.client(asker.user, asker.principal)

    document_problems(_ROUTES)
    hub, outputs, health = EventHub(clients.client), OutputHub(), ClusterHealth(clients.client)
    api = Router(
        API,
        route_handlers=_ROUTES,
        dependencies={"claw": Provide(claw)},
        before_request=checked_request,
        request_max_body_size=_BODY_MAX_BYTES,
    )
    return Litestar(
        [api, page_routes(), login_route(), *health_routes()],
        state=State(
            {
                "clients": clients,
                "login": login,
                "port": port,
                "hub": hub,
                "outputs": outputs,
                "keyring": keys,
                "health": health,
            }
        ),
        on_shutdown=[hub.aclose, outputs.aclose, health.aclose],
        exception_handlers={Exception: answer_problem},
        logging_config=None,
        openapi_config=OpenAPIConfig(
            "ClawActors", VERSION, path="/openapi", render_plugins=[], use_handler_docstrings=True
        ),
    )
