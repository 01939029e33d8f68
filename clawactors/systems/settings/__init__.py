"""Settings of the cluster: what an operator changes while it runs; pure.

In: `commands` from people. Out: `events` on `claw.setting.cluster.log`, the one aggregate: several settings change in
one commit, the whole has one version to go back to, and one follower tells a process all that concerns it.
Never here: what a process does with a setting, files, the environment (`clawactors.runtime.settings`), and secrets.
"""

from clawactors.systems.settings.decider import SETTING, ClusterSettings, SettingEntry
from clawactors.systems.settings.registry import DEFAULTS, REGISTRY, Setting, Settings

__all__ = [
    "CLUSTER",
    "DEFAULTS",
    "REGISTRY",
    "SETTING",
    "ClusterSettings",
    "Setting",
    "SettingEntry",
    "Settings",
]

CLUSTER = "cluster"
"""The id of the one aggregate."""
