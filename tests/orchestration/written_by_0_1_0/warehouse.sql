-- A small warehouse as Floorhouse 0.1.0 left it, made by landing, building and judging the objects of landing/ with it.
-- Marts that are computed again are left out.
create schema build;
create schema intermediate;
create schema marts;
create schema raw;
create schema staging;
CREATE TABLE build.batch(is_full BOOLEAN, is_repair BOOLEAN, first_date DATE, last_date DATE, last_object_id BIGINT);
insert into build.batch values
    (true, false, '0001-01-01', '9999-12-31', 0);
CREATE TABLE build.changed_days(mart VARCHAR NOT NULL, "day" DATE);
CREATE TABLE build.event_dates(site_id VARCHAR, event_date DATE);
CREATE TABLE build.histories(mart VARCHAR NOT NULL);
insert into build.histories values
    ('camera_days'),
    ('confidence_histograms'),
    ('hourly_output'),
    ('landed_objects'),
    ('model_days'),
    ('rejected_records'),
    ('review_queue'),
    ('site_shifts'),
    ('state_intervals'),
    ('worker_shifts'),
    ('worker_station_shifts'),
    ('workstation_shifts');
CREATE TABLE build.published("version" VARCHAR NOT NULL);
insert into build.published values
    ('01795783405947389671-9268c126-1');
CREATE TABLE build.segment_dates(site_id VARCHAR, started_at TIMESTAMP WITH TIME ZONE, ended_at TIMESTAMP WITH TIME ZONE, shift_date DATE, shift_id VARCHAR, window_started_at TIMESTAMP WITH TIME ZONE, window_ended_at TIMESTAMP WITH TIME ZONE, covered_on DATE);
CREATE TABLE build.settings(last_event_microseconds BIGINT, max_state_microseconds BIGINT, review_keys_below VARCHAR);
insert into build.settings values
    (1800000000, null, '028f5c28f5c28f600000000000000000');
CREATE TABLE build.state(lineage VARCHAR NOT NULL, number BIGINT NOT NULL, is_finished BOOLEAN NOT NULL, models VARCHAR NOT NULL, raw_state VARCHAR NOT NULL, last_object_id BIGINT NOT NULL);
insert into build.state values
    ('9268c126', 1, true, 'efa7153eec0ca834', '0ee5de33062f78bfcf4ed9e30d2ea6df', 2);
CREATE TABLE build.targets(site_id VARCHAR, workstation_id VARCHAR, shift_id VARCHAR, units_per_hour DOUBLE, valid_from DATE, valid_to DATE);
CREATE TABLE build.workers(site_id VARCHAR, worker_id VARCHAR, "name" VARCHAR);
CREATE TABLE build.workstations(site_id VARCHAR, workstation_id VARCHAR, "name" VARCHAR, station_type VARCHAR);
CREATE TABLE marts.check_results(site_id VARCHAR NOT NULL, evidence_date DATE NOT NULL, check_name VARCHAR NOT NULL, metric VARCHAR NOT NULL, cell VARCHAR NOT NULL, camera_id VARCHAR NOT NULL, model_name VARCHAR NOT NULL, model_version VARCHAR NOT NULL, status VARCHAR NOT NULL, severity VARCHAR NOT NULL, observed DOUBLE, threshold DOUBLE, sample_size BIGINT NOT NULL, effect DOUBLE, p_value DOUBLE, sentence VARCHAR NOT NULL, judged_at TIMESTAMP WITH TIME ZONE NOT NULL);
insert into marts.check_results values
    ('*', '2026-03-01', 'confidence_is_a_probability', 'integrity', 'the plant', '', '', '', 'pass', 'critical', 0.9, null, 8, null, null, 'A mean confidence lies between 0 and 1. So in all 2 cells; the nearest to the limit has 0.9 (site_id south, event_date 2026-01-16).', '2026-03-01T00:00:00+00:00');
CREATE TABLE marts.incidents(site_id VARCHAR NOT NULL, incident_id VARCHAR NOT NULL, metric VARCHAR NOT NULL, cell VARCHAR NOT NULL, camera_id VARCHAR NOT NULL, model_name VARCHAR NOT NULL, model_version VARCHAR NOT NULL, opened_at TIMESTAMP WITH TIME ZONE NOT NULL, closed_at TIMESTAMP WITH TIME ZONE, first_evidence_date DATE NOT NULL, last_evidence_date DATE NOT NULL, severity VARCHAR NOT NULL, status VARCHAR NOT NULL, sentence VARCHAR NOT NULL, closing_sentence VARCHAR, page VARCHAR NOT NULL);
CREATE TABLE marts.model_verdicts(site_id VARCHAR NOT NULL, model_name VARCHAR NOT NULL, earlier_version VARCHAR NOT NULL, later_version VARCHAR NOT NULL, metric VARCHAR NOT NULL, earlier_value DOUBLE, later_value DOUBLE, difference DOUBLE, difference_low DOUBLE, difference_high DOUBLE, earlier_sample BIGINT NOT NULL, later_sample BIGINT NOT NULL, sample_unit VARCHAR NOT NULL, verdict VARCHAR NOT NULL, more_needed BIGINT, sentence VARCHAR NOT NULL);
CREATE TABLE marts.retraining_requests(site_id VARCHAR NOT NULL, request_id VARCHAR NOT NULL, model_name VARCHAR NOT NULL, model_version VARCHAR NOT NULL, reason VARCHAR NOT NULL, status VARCHAR NOT NULL, as_of TIMESTAMP WITH TIME ZONE NOT NULL, opened_at TIMESTAMP WITH TIME ZONE NOT NULL, closed_at TIMESTAMP WITH TIME ZONE, closed_by_version VARCHAR, observed DOUBLE, threshold DOUBLE NOT NULL, sample_size BIGINT NOT NULL, sentence VARCHAR NOT NULL, manifest VARCHAR NOT NULL);
CREATE TABLE raw.baselines(site_id VARCHAR, working DOUBLE, idle DOUBLE, absent DOUBLE, product_count DOUBLE, reference_from DATE, reference_to DATE);
CREATE TABLE raw.changed_minutes(site_id VARCHAR NOT NULL, "minute" TIMESTAMP WITH TIME ZONE NOT NULL);
CREATE TABLE raw.changed_objects(object_key VARCHAR NOT NULL, etag VARCHAR NOT NULL);
CREATE TABLE raw.dropped_reviews(event_key VARCHAR PRIMARY KEY, file_name VARCHAR NOT NULL);
CREATE TABLE raw.events(object_id BIGINT NOT NULL, "position" BIGINT NOT NULL, event_at TIMESTAMP WITH TIME ZONE NOT NULL, site_id VARCHAR NOT NULL, camera_id VARCHAR NOT NULL, worker_id VARCHAR NOT NULL, workstation_id VARCHAR NOT NULL, event_type VARCHAR NOT NULL, confidence DOUBLE NOT NULL, unit_count BIGINT NOT NULL, model_name VARCHAR NOT NULL, model_version VARCHAR NOT NULL);
insert into raw.events values
    (1, 1, '2026-01-15T06:05:00+00:00', 'north', 'C1', 'W1', 'S1', 'working', 0.9, 1, 'unknown', 'unknown'),
    (1, 2, '2026-01-15T08:00:00+00:00', 'north', 'C1', 'W1', 'S1', 'product_count', 0.9, 5, 'unknown', 'unknown'),
    (1, 3, '2026-01-15T09:30:00+00:00', 'north', 'C1', 'W1', 'S1', 'idle', 0.9, 1, 'unknown', 'unknown'),
    (1, 4, '2026-01-15T13:40:00+00:00', 'north', 'C1', 'W1', 'S1', 'working', 0.9, 1, 'unknown', 'unknown'),
    (1, 5, '2026-01-15T14:10:00+00:00', 'north', 'C1', 'W2', 'S2', 'working', 0.8, 1, 'unknown', 'unknown'),
    (1, 6, '2026-01-15T14:40:00+00:00', 'north', 'C1', 'W2', 'S2', 'absent', 0.9, 1, 'unknown', 'unknown'),
    (1, 7, '2026-01-15T08:00:00+00:00', 'north', 'C1', 'W1', 'S1', 'product_count', 0.7, 4, 'unknown', 'unknown'),
    (2, 1, '2026-01-16T09:00:00+00:00', 'south', 'unknown', 'W1', 'S1', 'working', 0.9, 1, 'm', '2'),
    (2, 2, '2026-01-16T09:20:00+00:00', 'south', 'unknown', 'W1', 'S1', 'idle', 0.9, 1, 'm', '2');
CREATE TABLE raw.horizons("name" VARCHAR PRIMARY KEY, first_date DATE NOT NULL);
CREATE TABLE raw."identity"(worker_identity VARCHAR NOT NULL, is_pseudonymous BOOLEAN NOT NULL, key_check VARCHAR, min_group BIGINT NOT NULL);
insert into raw.identity values
    ('named', false, null, 5);
CREATE TABLE raw.kept_files(object_key VARCHAR NOT NULL, "version" VARCHAR NOT NULL);
CREATE TABLE raw.labelled_keys(event_key VARCHAR PRIMARY KEY, site_id VARCHAR, event_at TIMESTAMP WITH TIME ZONE);
CREATE TABLE raw.labels(object_id BIGINT NOT NULL, "position" BIGINT NOT NULL, event_key VARCHAR NOT NULL, true_event_type VARCHAR NOT NULL, reviewer VARCHAR NOT NULL, reviewed_at TIMESTAMP WITH TIME ZONE NOT NULL, payload VARCHAR NOT NULL);
CREATE TABLE raw.landed_objects(object_id BIGINT NOT NULL, object_key VARCHAR, etag VARCHAR, bytes BIGINT NOT NULL, records BIGINT NOT NULL, accepted BIGINT NOT NULL, rejected BIGINT NOT NULL, unexpected_fields VARCHAR[] NOT NULL, landed_at TIMESTAMP WITH TIME ZONE NOT NULL, PRIMARY KEY(object_key, etag), CHECK((records = (accepted + rejected))));
insert into raw.landed_objects values
    (1, 'events/site_id=north/camera_id=C1/day.jsonl', 'ec2afa60a983c780ba55d37130264d79', 1054, 9, 7, 2, ['zone'], '2026-03-01T00:00:00+00:00'),
    (2, 'events/site_id=south/day.json', '6fbadc4f86ddc5ff79990f1b97e27d74', 378, 3, 2, 1, [], '2026-03-01T00:00:00+00:00');
CREATE TABLE raw.rejected_records(object_id BIGINT NOT NULL, "position" BIGINT NOT NULL, reason VARCHAR NOT NULL, detail VARCHAR NOT NULL, payload VARCHAR, rejected_at TIMESTAMP WITH TIME ZONE NOT NULL);
insert into raw.rejected_records values
    (1, 8, 'malformed_json', 'Not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1).', '{broken', '2026-03-01T00:00:00+00:00'),
    (1, 9, 'unknown_event_type', 'event_type is "sleeping"; known are working, idle, absent, product_count.', '{"timestamp": "2026-01-15T08:00:00Z", "worker_id": "W1", "workstation_id": "S1", "event_type": "sleeping", "confidence": 0.9}', '2026-03-01T00:00:00+00:00'),
    (2, 3, 'missing_field', 'The record has no worker_id, no workstation_id, no event_type, no confidence.', '{"timestamp":"2026-01-16T10:00:00"}', '2026-03-01T00:00:00+00:00');
CREATE TABLE raw.settings(last_event_microseconds BIGINT, max_state_microseconds BIGINT, review_keys_below VARCHAR);
insert into raw.settings values
    (1800000000, null, '028f5c28f5c28f600000000000000000');
CREATE TABLE raw.shifts(site_id VARCHAR, shift_id VARCHAR, start_local VARCHAR, duration_minutes INTEGER, valid_from DATE, valid_to DATE);
insert into raw.shifts values
    ('*', 'day', '06:00', 480, null, null),
    ('*', 'late', '14:00', 480, null, null);
CREATE TABLE raw.sites(site_id VARCHAR, "name" VARCHAR, timezone VARCHAR);
insert into raw.sites values
    ('north', 'North', 'Europe/Berlin');
CREATE TABLE raw.targets(site_id VARCHAR, workstation_id VARCHAR, shift_id VARCHAR, units_per_hour DOUBLE, valid_from DATE, valid_to DATE);
insert into raw.targets values
    ('north', 'S1', '*', 10.0, null, null);
CREATE TABLE raw.unexpected_fields(object_id BIGINT NOT NULL, field VARCHAR NOT NULL, site_id VARCHAR NOT NULL, camera_id VARCHAR NOT NULL);
insert into raw.unexpected_fields values
    (1, 'zone', 'north', 'C1');
CREATE TABLE raw.workers(site_id VARCHAR, worker_id VARCHAR, "name" VARCHAR);
insert into raw.workers values
    ('north', 'W1', 'Ada');
CREATE TABLE raw.workstations(site_id VARCHAR, workstation_id VARCHAR, "name" VARCHAR, station_type VARCHAR);
insert into raw.workstations values
    ('north', 'S1', 'Press 1', 'press');
CREATE VIEW staging.stg_raw__changed_minutes AS SELECT site_id, "minute" FROM raw.changed_minutes;
CREATE VIEW staging.stg_raw__changed_objects AS SELECT object_key, etag FROM raw.changed_objects;
CREATE VIEW staging.stg_raw__events AS SELECT object_id, site_id, camera_id, worker_id, workstation_id, event_type, model_name, model_version, "position", confidence, unit_count, event_at FROM raw.events;
CREATE VIEW staging.stg_raw__labels AS SELECT object_id, event_key, true_event_type, reviewer, "position", reviewed_at FROM raw.labels;
CREATE VIEW staging.stg_raw__landed_objects AS SELECT object_id, object_key, etag, unexpected_fields, bytes, records, accepted, rejected, landed_at FROM raw.landed_objects;
CREATE VIEW staging.stg_raw__rejected_records AS SELECT object_id, reason, detail, payload, "position", rejected_at FROM raw.rejected_records;
CREATE VIEW staging.stg_raw__settings AS SELECT last_event_microseconds, max_state_microseconds, review_keys_below FROM raw.settings;
CREATE VIEW staging.stg_raw__shifts AS SELECT site_id, shift_id, start_local, duration_minutes, valid_from, valid_to FROM raw.shifts;
CREATE VIEW staging.stg_raw__sites AS SELECT site_id, "name" AS site_name, timezone FROM raw.sites;
CREATE VIEW staging.stg_raw__targets AS SELECT site_id, workstation_id, shift_id, units_per_hour AS target_units_per_hour, valid_from, valid_to FROM raw.targets;
CREATE VIEW staging.stg_raw__unexpected_fields AS SELECT object_id, site_id, camera_id, field FROM raw.unexpected_fields;
CREATE VIEW staging.stg_raw__workers AS SELECT site_id, worker_id, "name" AS worker_name FROM raw.workers;
CREATE VIEW staging.stg_raw__workstations AS SELECT site_id, workstation_id, "name" AS workstation_name, station_type FROM raw.workstations;
