"""Who may do what at the server: roles and their rights."""

from clawactors.app.identity.roles import Rights, Role, check_name, rights_of

__all__ = ["Rights", "Role", "check_name", "rights_of"]
