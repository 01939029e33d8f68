"""What the commands take, apart from what they do: `claw COMMAND --help` and completion import nothing else.

One function a command module, with its name. Choices are written out here; a test compares them with the domain's.
"""
