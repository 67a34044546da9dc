"""NVIDIA GPUs: devices, streams, graphs, memory and batches."""
