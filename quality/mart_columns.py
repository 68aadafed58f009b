"""The grain and columns of the marts that judging writes. Imports nothing slow."""

from typing import Any

DESCRIPTIONS = {
    "check_results": "One row per check, cell and day that was judged; a day's rows follow its late events.",
    "incidents": "One row per metric and cell from its first evidence until it recovers or is accepted.",
}

# The declaration of each, with the keys of publishing/declarations.py.
META: dict[str, dict[str, Any]] = {
    "check_results": {"about": "camera", "scope": "whole", "day": None, "names": []},
    "incidents": {"about": "camera", "scope": "whole", "day": None, "names": []},
}

TABLES = {
    "check_results": """
        site_id varchar not null, evidence_date date not null, check_name varchar not null, metric varchar not null,
        cell varchar not null, camera_id varchar not null, model_name varchar not null, model_version varchar not null,
        status varchar not null, severity varchar not null, observed double, threshold double,
        sample_size bigint not null, effect double, p_value double, sentence varchar not null,
        judged_at timestamptz not null
    """,
    "incidents": """
        site_id varchar not null, incident_id varchar not null, metric varchar not null, cell varchar not null,
        camera_id varchar not null, model_name varchar not null, model_version varchar not null,
        opened_at timestamptz not null, closed_at timestamptz, first_evidence_date date not null,
        last_evidence_date date not null, severity varchar not null, status varchar not null,
        sentence varchar not null, closing_sentence varchar, page varchar not null, ending varchar, accepted_by varchar
    """,
}
