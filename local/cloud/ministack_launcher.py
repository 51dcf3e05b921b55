"""Starts MiniStack as the local cloud: real Spark, real IAM for every caller, no root, loopback only.

Standard input is the parent's hand: the line `seal` takes root's rights away for good; its end, for whatever reason,
ends this process and everything that it started.

Environment: GATEWAY_PORT, LOCAL_CLOUD_ROOT_KEY, LOCAL_CLOUD_FOLDER (files of runs), LOCAL_CLOUD_LOGS,
LOCAL_CLOUD_GUARD (guard.sh), LOCAL_CLOUD_GLUE_MINUTE (seconds in a minute of Glue's timeouts).
"""

import os
import sys
import threading
from pathlib import Path

from emulator import private


def main():
    private.check()
    from ministack import app

    from emulator import conditions, glue, lambdas, mischief, root, stepfunctions

    folder, logs = Path(os.environ["LOCAL_CLOUD_FOLDER"]), Path(os.environ["LOCAL_CLOUD_LOGS"])
    endpoint = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
    root.install()
    conditions.install()
    lambdas.install(logs / "lambda")
    glue.install(
        folder / "glue",
        logs / "glue",
        endpoint,
        os.environ["LOCAL_CLOUD_GUARD"],
        float(os.environ.get("LOCAL_CLOUD_GLUE_MINUTE", "60")),
    )
    stepfunctions.install()
    mischief.install(folder)
    threading.Thread(target=follow_parent, args=(root.seal,), daemon=True).start()
    sys.argv = sys.argv[:1]
    app.main()


def follow_parent(seal):
    for line in sys.stdin:
        if line.strip() == "seal":
            seal()
    end()


def end():
    from ministack.core import lambda_runtime

    from emulator import glue

    glue.kill_all()
    lambda_runtime.reset()
    os._exit(0)


if __name__ == "__main__":
    main()
