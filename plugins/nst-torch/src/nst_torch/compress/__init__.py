"""Makes a slim VGG of a full one: closed form first, then trained against the full one's activations."""
