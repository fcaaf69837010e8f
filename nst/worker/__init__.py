"""Jobs in a process of their own: `painter` is the process, `client` starts it and sends it orders."""
