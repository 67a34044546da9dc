"""Who does the work on files: this process, others on this machine, or a cluster."""
