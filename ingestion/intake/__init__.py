"""The HTTP door of the landing bucket, for cameras that can only POST: `python -m ingestion.intake`.

A request is judged by the contract's own code and answered only when the object that holds its events is durable.
Nothing is landed here, and nothing is remembered: what is in the bucket is all that there is.
"""
