"""What outlives a run: checkpoints, the provenance record in a picture, and the way back from them to the inputs."""
