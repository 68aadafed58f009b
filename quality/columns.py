"""What each column of the marts made by Python means, for the catalogue and for clients of `plant.duckdb`."""

_MODEL = {
    "model_name": "The model; empty where the row is about none.",
    "model_version": "The model's version; empty where the row is about none.",
}
_CELL = {
    "metric": "What was judged.",
    "cell": "The part of the site that was judged, such as a camera or a model version.",
    "camera_id": "The camera; empty where the row is about none.",
    **_MODEL,
}

COLUMNS: dict[str, dict[str, str]] = {
    "check_results": {
        "site_id": "The site; `*` for the whole plant.",
        "evidence_date": "The judged day: the events' UTC date, or that of landing for what is counted by landing.",
        "check_name": "The check.",
        **_CELL,
        "status": "pass, warn, fail or insufficient_data.",
        "severity": "How serious a failure is: warning or critical.",
        "observed": "What was measured, in the metric's unit.",
        "threshold": "The value with which the observed one is compared.",
        "sample_size": "How many observations the judgement rests on.",
        "effect": "How large the change is, on the metric's own scale.",
        "p_value": "The probability of such a change by chance, corrected for the cells of the site's day.",
        "sentence": "The judgement in words.",
        "judged_at": "The newest landing when the day was judged.",
    },
    "incidents": {
        "site_id": "The site; `*` for the whole plant.",
        "incident_id": "The incident's id.",
        **_CELL,
        "opened_at": "When it was opened.",
        "closed_at": "When it was closed; NULL while it is open.",
        "first_evidence_date": "The first day with evidence.",
        "last_evidence_date": "The last day with evidence.",
        "severity": "How serious it is: warning or critical.",
        "status": "open or closed.",
        "sentence": "What happened, in words.",
        "closing_sentence": "How it ended, in words; NULL while it is open.",
        "page": "The page of the report that shows it.",
        "ending": "recovered, accepted, gone or withdrawn; NULL while it is open.",
        "accepted_by": "The role that accepted the change; NULL where nobody did.",
    },
    "model_verdicts": {
        "site_id": "The site.",
        "model_name": "The model.",
        "earlier_version": "The earlier of the two versions.",
        "later_version": "The version that followed it.",
        "metric": "accuracy (of labelled events) or confidence (of days' means).",
        "earlier_value": "The earlier version's value, 0 to 1.",
        "later_value": "The later version's value, 0 to 1.",
        "difference": "Later minus earlier.",
        "difference_low": "Lower end of the difference's 95 % interval.",
        "difference_high": "Upper end of the difference's 95 % interval.",
        "earlier_sample": "The earlier version's sample, in `sample_unit`.",
        "later_sample": "The later version's sample, in `sample_unit`.",
        "sample_unit": "What the samples count: whole weeks of the cameras that ran both versions.",
        "verdict": (
            "later_is_better or later_is_worse (accuracy), later_is_higher or later_is_lower (confidence), not_decided "
            "or insufficient_data."
        ),
        "more_needed": "How much the smaller sample must grow to decide; NULL where it is decided.",
        "sentence": "The verdict in words.",
    },
    "retraining_requests": {
        "site_id": "The site.",
        "request_id": "The request's id.",
        "model_name": "The model.",
        "model_version": "The version that ran when the request was opened.",
        "reason": "confidence, event_mix, accuracy or schedule.",
        "status": "open or closed.",
        "as_of": "The newest event's instant when it was opened.",
        "opened_at": "When it was opened.",
        "closed_at": "The first event of the version that closed it; NULL while it is open.",
        "closed_by_version": "The version that closed it; NULL while it is open.",
        "observed": "What was measured.",
        "threshold": "The limit that it is compared with.",
        "sample_size": "How many observations the finding rests on.",
        "sentence": "The reason in words.",
        "manifest": "The manifest of its training set, below the data folder.",
    },
}
