"""The skills that every node has, and the loader of those that people write.

In: what `--skills` and `--allow` say at the start of a node. Out: `Skill` objects for that node: `echo`, `sleep`,
`shell`, `python`, the examples `migrate-table` and `install-package`, and one's own, which win over built-in ones of
the same name. Never here: where and when they run.
"""

from clawactors.app.skills.loading import load_skills

__all__ = ["load_skills"]
