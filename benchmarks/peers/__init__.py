"""What the product is measured against: the same work, written by somebody else."""
