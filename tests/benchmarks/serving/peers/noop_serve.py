"""multi-model-server as the stock toolkit starts it, on the model in SAGEMAKER_BASE_DIR; what it writes goes to SCRATCH.

Its configuration and its command line are the toolkit's own. Two things differ, so that it can run at a laptop: the configuration is not
written to /etc, and nobody looks for the server among all processes of the machine, where it might take another one for its own.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sagemaker_inference import environment, model_server

if __name__ == "__main__":
    scratch = Path(os.environ["SCRATCH"])
    model_server.MMS_CONFIG_FILE = str(scratch / "mms.properties")
    model_server._set_python_path()
    model_server._create_model_server_config_file(environment.Environment(), model_server.DEFAULT_HANDLER_SERVICE)
    os.chdir(scratch)
    command = ["--start", "--foreground", "--model-store", model_server.MODEL_STORE, "--mms-config", model_server.MMS_CONFIG_FILE]
    more = ["--log-config", model_server.DEFAULT_MMS_LOG_FILE, "--models", f"model={environment.model_dir}"]
    os.execv(sys.executable, [sys.executable, "-m", "mms.model_server", *command, *more])
