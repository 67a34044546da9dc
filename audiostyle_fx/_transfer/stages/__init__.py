"""The three stages on a batch of sections: spectrogram, phases, waveform."""
