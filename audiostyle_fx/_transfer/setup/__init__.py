"""The setup of a transfer: its transforms, sections, levels, starts and costs."""
