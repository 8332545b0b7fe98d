"""What a text field takes, as patterns for the OpenAPI document; the fields themselves do the refusing."""

CONTROL = r"\u0000-\u001f\u007f-\u009f"
CONTROL_BUT_LINES = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"
WITHOUT_NUL = r"^[^\u0000]*$"


def text_pattern(*, lines: bool, filled: bool) -> str:
    """A pattern as JSON Schema has them.

    Args:
        lines: whether line breaks and tabs may stand in the text.
        filled: whether something must be left of it when white space at both ends is cut.
    """
    unwanted = CONTROL_BUT_LINES if lines else CONTROL
    if not filled:
        return f"^[^{unwanted}]*$"
    return rf"^[^{unwanted}]*[^\s{unwanted}][^{unwanted}]*$"
