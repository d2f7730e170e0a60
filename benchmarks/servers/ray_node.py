"""A second Ray node on this machine, on loopback: `ray start` refuses to make one there, so this does as `ray.cluster_utils` for Ray's own tests.

Run by the interpreter that has Ray: `python ray_node.py ADDRESS CPUS OBJECT_STORE_BYTES`.
"""

import signal
import sys

from ray._private.node import Node
from ray._private.parameter import RayParams

address, cpus, object_store_bytes = sys.argv[1:]
Node(
    RayParams(
        gcs_address=address,
        node_ip_address="127.0.0.1",
        num_cpus=int(cpus),
        num_gpus=0,
        object_store_memory=int(object_store_bytes),
        # Any free ones: the head node has taken the usual.
        min_worker_port=0,
        max_worker_port=0,
        node_manager_port=0,
        dashboard_agent_listen_port=None,
        include_log_monitor=False,
    ),
    head=False,
    shutdown_at_exit=True,
    spawn_reaper=True,
)
signal.pause()
