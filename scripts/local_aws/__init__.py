"""A SageMaker on loopback: its jobs and endpoints are real processes of this project's container; moto keeps S3 and the other services."""
