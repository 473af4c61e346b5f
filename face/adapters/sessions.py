"""How networks are run in the engine's children: on one core, giving memory back."""

import onnxruntime


def one_thread() -> "onnxruntime.SessionOptions":
    """Return the options of a session that takes one core and holds no memory between runs."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Memory is given back after each run: what a large batch once needed is not held for good.
    options.enable_cpu_mem_arena = False
    return options
