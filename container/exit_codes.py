"""How a process of the container ends. SageMaker asks for 0, or not 0; people and scripts can tell the rest apart."""

DONE = 0
BUG = 1  # AlgorithmError: ours
USER_ERROR = 2  # UserError: data, hyperparameters, or the machine that was chosen
INTERRUPTED = 130  # Ctrl-C at a terminal: 128 + SIGINT
STOPPED = 143  # 128 + SIGTERM
