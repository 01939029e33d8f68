"""`claw` as a service of the machine or of a container: units, what they are told, and process 1."""
