"""The HTTP intake, for cameras that can only POST: writes events to the landing bucket (`python -m ingestion.intake`).

The contract's own code judges each request. The answer comes when the object with its events is durable. The intake
lands nothing and stores nothing outside the bucket.
"""
