"""What the screenshots of the documentation are made with."""
