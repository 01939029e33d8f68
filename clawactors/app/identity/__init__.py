"""Who may connect, as what: rights of roles, signed claims, passwords, invitations."""
