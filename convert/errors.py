"""The one failure of conversion."""


class ConversionError(Exception):
    """The file cannot be converted; the message is one line that says why."""
