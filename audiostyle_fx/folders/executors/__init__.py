"""Executors: this process, other processes on this machine, or a cluster."""
