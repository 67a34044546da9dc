"""What a recording is, on disk and in memory: files, formats, rates, channels, levels."""
