"""What a preview is: shared by who asks for one and by the child that makes it."""

from dataclasses import dataclass

SIZES = (256, 1024)
"""Longest sides in pixels: a row of a list on a sharp screen, and a screen."""


@dataclass(frozen=True)
class Preview:
    """A picture as WebP. Attributes: width, height: in pixels."""

    width: int
    height: int
    data: bytes
