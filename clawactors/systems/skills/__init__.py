"""Skills: named functions that nodes offer, what they take and how they are retried.

In: a function with annotations, wrapped by `skill`. Out: the `Offer` that a node announces, and the check of a task's
parameters against it, at submit and again before the code runs. Never here: running anything; nodes do.
"""

from clawactors.systems.skills.parameters import check_params
from clawactors.systems.skills.skill import Skill, SkillCall, TypedSkill, asked_of, checked_skills, skill

__all__ = ["Skill", "SkillCall", "TypedSkill", "asked_of", "check_params", "checked_skills", "skill"]
