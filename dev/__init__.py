"""What a developer's machine needs around the service: `make run`, `make test` and their engines.

Nothing here is part of the service: the container image does not carry this folder.
"""
