"""The losses of a transfer and their gradients: for N filters, for infinitely many, and for a waveform."""
