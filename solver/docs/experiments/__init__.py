"""What the book of verification and validation computes."""
