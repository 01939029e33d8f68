"""The parts of a client, such as `claw.schedules`, found in its source: no test of a surface can forget one."""

import inspect
from functools import cached_property

from clawactors import Client
from tests.app.syncstub import parts

PARTS = {
    name: kind
    for name, kind in parts().items()
    if isinstance(inspect.getattr_static(Client, name), property | cached_property)
}
