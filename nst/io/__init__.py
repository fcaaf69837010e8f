"""Files on disk and by URL: atomic writes, downloads, remote storage, TOML."""
