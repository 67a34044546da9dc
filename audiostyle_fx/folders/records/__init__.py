"""The records of a folder's files: a database, its lock and its export as JSON."""
