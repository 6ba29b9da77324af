"""What is done with a search afterwards: finalists, exports, scores before training, repairs."""
