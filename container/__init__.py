"""What SageMaker asks of a container: paths, variables, exit codes, start and stop. Knows nothing about recommending."""
