"""The tools by group: each calls a method of the client and returns its row."""
