"""The web page of `nst ui`. The panels, `page`, `widgets` and `endpoints` need Gradio; the other modules do not."""
