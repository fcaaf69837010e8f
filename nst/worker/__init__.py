"""Run jobs in separate processes: `client` starts a `process` and sends orders, `pool` starts several."""
