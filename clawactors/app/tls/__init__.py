"""TLS for a server that others reach: an authority made on the spot, its certificates, and how a line carries it.

What imports `cryptography` is imported only where it is needed: it takes a tenth of a second.
"""
