"""Effects written in Python, inside pedalboard's own containers."""
