"""The losses of a transfer and their gradients: finitely many filters, infinitely many, and at the waveform."""
