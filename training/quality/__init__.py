"""What a person should know about the data before trusting a model of it: ``quality_report.json`` and ``quality_report.html``."""
