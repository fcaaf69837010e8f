"""Run jobs in a separate process: `painter` is the process, `client` starts it and sends it orders."""
