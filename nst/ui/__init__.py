"""The page: `nst ui`. Everything but `page`, `widgets` and `server` is plain Python, and works without Gradio."""
