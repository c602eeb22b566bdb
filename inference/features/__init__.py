"""What is made of a song's raw attributes; the same code in training, for a whole catalogue, and in serving, for one new song."""
