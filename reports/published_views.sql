-- The columns of the published marts that the report reads, with their types. A mart that is not published (not made
-- yet, or about persons in a plant that publishes no such figures) is treated as empty, and a missing column as NULL.
create table sites (site_id varchar, site_name varchar, timezone varchar, last_event_at timestamptz);
create table shift_windows (
    site_id varchar, shift_date date, shift_id varchar, started_at timestamptz, ended_at timestamptz,
    is_complete boolean, is_day_complete boolean
);
create table state_intervals (
    site_id varchar, shift_date date, shift_id varchar, worker_id varchar, workstation_id varchar, state varchar,
    started_at timestamptz, ended_at timestamptz, seconds double, end_reason varchar, confidence double
);
create table observed_intervals (
    site_id varchar, shift_date date, shift_id varchar, worker_id varchar, workstation_id varchar,
    started_at timestamptz, ended_at timestamptz, seconds double
);
create table labelled_events (site_id varchar, event_key varchar, is_disputed boolean);
create table worker_shifts (
    site_id varchar, shift_date date, shift_id varchar, worker_id varchar, worker_name varchar, is_registered boolean,
    active_seconds double, idle_seconds double, absent_seconds double, present_seconds double, tracked_seconds double,
    scheduled_seconds double, observed_seconds double, units bigint, event_count bigint
);
create table workstation_shifts (
    site_id varchar, shift_date date, shift_id varchar, workstation_id varchar, workstation_name varchar,
    station_type varchar, line varchar, is_registered boolean, working_seconds double, idle_seconds double,
    occupancy_seconds double, staffed_seconds double, observed_seconds double, coverage double, units bigint,
    worker_count bigint, target_units double, target_units_so_far double
);
create table station_targets (
    site_id varchar, shift_date date, shift_id varchar, workstation_id varchar, workstation_name varchar,
    station_type varchar, line varchar, is_registered boolean, scheduled_seconds double, target_units_per_hour double,
    target_units double, target_units_so_far double, units bigint, staffed_seconds double, observed_seconds double,
    coverage double, attainment double, working_seconds double, idle_seconds double, unstaffed_seconds double,
    not_seen_seconds double
);
create table count_agreement (
    site_id varchar, shift_date date, shift_id varchar, workstation_id varchar, workstation_name varchar, units bigint,
    booked_units bigint, difference bigint, counted_share double, shift_count bigint, recent_share double,
    recent_share_low double, recent_share_high double, verdict varchar, shifts_needed bigint
);
create table station_releases (site_id varchar, workstation_id varchar, is_released boolean, released_by varchar);
create table site_shifts (
    site_id varchar, shift_date date, shift_id varchar, productive_seconds double, units bigint,
    average_utilization double, worker_count bigint, workstation_count bigint
);
create table hourly_output (
    site_id varchar, workstation_id varchar, hour timestamptz, shift_date date, shift_id varchar, units bigint,
    working_seconds double, idle_seconds double, target_units double, target_units_so_far double,
    observed_seconds double, coverage double, staffed_seconds double
);
create table model_days (
    site_id varchar, event_date date, camera_id varchar, model_name varchar, model_version varchar, event_count bigint,
    mean_confidence double, p05_confidence double, working_events bigint, idle_events bigint, absent_events bigint,
    product_count_events bigint
);
create table landed_objects (
    object_key varchar, etag varchar, bytes bigint, records bigint, accepted bigint, rejected bigint,
    unexpected_fields varchar [], landed_at timestamptz
);
create table rejected_records (
    object_key varchar, etag varchar, position bigint, part bigint, reason varchar, detail varchar, payload varchar,
    rejected_at timestamptz, superseded_at timestamptz
);
create table unread_objects (
    object_key varchar, reason varchar, detail varchar, bytes bigint, modified_at timestamptz
);
create table unexpected_fields (
    site_id varchar, field varchar, first_seen_at timestamptz, last_seen_at timestamptz, object_count bigint,
    camera_count bigint
);
create table registry_changes (
    site_id varchar, file varchar, line_count bigint, in_force_since timestamptz, change varchar,
    shift_dates_recomputed bigint
);
create table contacts (
    site_id varchar, line varchar, workstation_id varchar, cause varchar, name varchar, phone varchar
);
create table camera_days (
    site_id varchar, event_date date, camera_id varchar, event_count bigint, last_event_at timestamptz,
    scheduled_seconds double, covered_seconds double, longest_silence_seconds double, late_events bigint,
    p50_lateness_seconds double, p95_lateness_seconds double, clock_offset_seconds double, station_events bigint
);
create table check_results (
    site_id varchar, evidence_date date, check_name varchar, metric varchar, cell varchar, status varchar,
    severity varchar, observed double, threshold double, sample_size bigint, effect double, sentence varchar
);
create table incidents (
    site_id varchar, incident_id varchar, metric varchar, cell varchar, model_version varchar, opened_at timestamptz,
    closed_at timestamptz, first_evidence_date date, last_evidence_date date, severity varchar, status varchar,
    sentence varchar, closing_sentence varchar, ending varchar, accepted_by varchar
);
create table review_queue (
    site_id varchar, event_key varchar, timestamp timestamptz, workstation_id varchar,
    event_type varchar, confidence double, camera_id varchar, model_name varchar, model_version varchar
);
create table label_accuracy (
    site_id varchar, model_name varchar, model_version varchar, event_type varchar, week_started_on date,
    labelled_events bigint, correct_events bigint, disputed_events bigint, hand_picked_events bigint, accuracy double,
    accuracy_low double, accuracy_high double
);
create table label_confidence (
    site_id varchar, model_name varchar, model_version varchar, event_type varchar, true_event_type varchar,
    week_started_on date, bin integer, labelled_events bigint
);
create table confidence_histograms (
    site_id varchar, event_date date, camera_id varchar, model_name varchar, model_version varchar, bin integer,
    event_count bigint
);
create table label_estimates (
    site_id varchar, week_started_on date, event_type varchar, labelled_events bigint, reported_share double,
    estimated_share double, estimated_share_low double, estimated_share_high double
);
create table reviewer_agreement (
    site_id varchar, reviewed_events bigint, shared_events bigint, disputed_events bigint, agreement double,
    fleiss_kappa double
);
create table model_versions (
    site_id varchar, camera_id varchar, model_name varchar, model_version varchar, first_event_at timestamptz,
    last_event_at timestamptz, event_count bigint
);
create table model_comparison (
    site_id varchar, model_name varchar, model_version varchar, camera_count bigint, first_event_at timestamptz,
    last_event_at timestamptz, event_count bigint, mean_confidence double, working_share double, idle_share double,
    absent_share double, product_count_share double, shared_sightings bigint, disagreement double,
    labelled_events bigint, accuracy double, accuracy_low double, accuracy_high double
);
create table model_verdicts (
    site_id varchar, model_name varchar, earlier_version varchar, later_version varchar, metric varchar,
    earlier_value double, later_value double, verdict varchar, more_needed bigint, sentence varchar
);
create table retraining_requests (
    site_id varchar, request_id varchar, model_name varchar, model_version varchar, reason varchar, status varchar,
    opened_at timestamptz, closed_at timestamptz, observed double, threshold double, sample_size bigint, sentence varchar
);
