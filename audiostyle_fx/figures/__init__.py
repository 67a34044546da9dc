"""Pictures of recordings and of transfers."""
