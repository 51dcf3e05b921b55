"""What can go wrong, each with a code for programs and a message for people. No message carries row contents."""


class CopyError(Exception):
    """The base of every error that the job raises on purpose."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type["CopyError"], tuple[str, str]]:
        """Travel between Spark's processes with the code."""
        return (type(self), (self.code, self.message))


class InvalidInputError(CopyError):
    """What was asked for is wrong; the same run cannot succeed later."""


class MisfitError(CopyError):
    """The two case schemas, or what they hold, do not fit each other."""


class DatabaseError(CopyError):
    """The database server refused or did not answer."""


class SourceMovedError(CopyError):
    """The source changed faster than it could be copied; a later run may succeed."""
