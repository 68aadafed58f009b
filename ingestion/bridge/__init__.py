"""The bridge: takes the messages of an MQTT broker into the edge's spool, from where they are uploaded.

A message is acknowledged after the spool has it durably, so the broker keeps what the bridge has not. The bridge frames
payloads and routes them by their topics; it judges no event (contract §2). The spool, the uploader and their settings
are those of `ingestion.edge`; here is only what a broker needs.
"""
