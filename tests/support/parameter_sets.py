"""Parameters of transfers that tests share."""

EVERY_STAGE = [
    {},
    {"optimizer": "lbfgs"},
    {"n_filters": 64},
    {"init": "noise", "phase_init": "random"},
    {"spectrogram_iters": 0, "phase_iters": 0},
    {"waveform_iters": 0},
    {"mix": 0.5},
    {"normalize": False},
]
"""Ways through the stages: with and without each, by either optimizer, from content and from noise."""
