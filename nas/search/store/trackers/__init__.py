"""What shows the curves of a search while it runs: TensorBoard, MLflow, Weights & Biases; each in the run directory."""
