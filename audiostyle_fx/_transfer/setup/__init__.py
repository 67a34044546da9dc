"""What a transfer needs to know before it starts: its transforms, sections, levels, starts and costs."""
