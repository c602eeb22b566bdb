"""Amazon Personalize's data: its schemas, and the way from our dataset to its files and back."""
