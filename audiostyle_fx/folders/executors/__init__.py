"""Executors: this process, others on this machine, or a cluster."""
