"""The root caller: one random key, good until it is sealed. MiniStack's own root keys (`test`, account ids) are not."""

import os

from ministack.core import iam_evaluator
from ministack.services import sts

_state = {"key": None}


def install():
    """Take the root key out of the environment, so that no child process ever sees it."""
    _state["key"] = os.environ.pop("LOCAL_CLOUD_ROOT_KEY")

    def is_root(access_key_id):
        return bool(access_key_id) and access_key_id == _state["key"]

    iam_evaluator.is_root_access_key = is_root
    sts.is_root_access_key = is_root


def seal():
    """From here on nobody is root."""
    _state["key"] = None
