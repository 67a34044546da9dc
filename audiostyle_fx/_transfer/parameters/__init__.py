"""The parameters of a transfer: their list, windows, presets, and the signatures made from them."""
