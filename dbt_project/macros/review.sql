{#- Review and ground truth: the key of an event, and confidence intervals of a sample's shares. -#}

{#- The event key (contract §7), equal to ingestion/contract/event_key.py: MD5 of instant, type and, each preceded by
    its length in characters, site, worker and workstation. An event without a worker has length zero there. -#}
{% macro event_key() -%}
    {%- set parts = [epoch_microseconds('event_at'), 'event_type'] -%}
    {%- for name in ['site_id', "coalesce(worker_id, '')", 'workstation_id'] -%}
        {%- do parts.append("length(" ~ name ~ "), ':', " ~ name) -%}
    {%- endfor -%}
    md5(concat({{ parts | join(", '|', ") }}))
{%- endmacro %}

{#- The hash of an hour of a station (contract §7): MD5 of the hour's start, the site and the station, each identifier
    preceded by its length in characters. It says whether the hour is drawn, and which instant of it. -#}
{% macro audit_hash(hour) -%}
    md5(concat({{ epoch_microseconds(hour) }}, '|', length(site_id), ':', site_id, '|', length(workstation_id), ':', workstation_id))
{%- endmacro %}

{#- The number that at most 15 hexadecimal digits write. -#}
{% macro hex_number(digits) -%} {{ adapter.dispatch('hex_number', 'floorhouse')(digits) }} {%- endmacro %}
{% macro duckdb__hex_number(digits) -%} cast(concat('0x', {{ digits }}) as bigint) {%- endmacro %}
{% macro spark__hex_number(digits) -%} cast(conv({{ digits }}, 16, 10) as bigint) {%- endmacro %}

{% macro epoch_microseconds(instant) -%} {{ adapter.dispatch('epoch_microseconds', 'floorhouse')(instant) }} {%- endmacro %}
{% macro duckdb__epoch_microseconds(instant) -%} epoch_us({{ instant }}) {%- endmacro %}
{% macro spark__epoch_microseconds(instant) -%} unix_micros({{ instant }}) {%- endmacro %}

{#- The Monday of the ISO week of a UTC date. -#}
{% macro iso_week(utc_date) -%} cast(date_trunc('week', {{ utc_date }}) as date) {%- endmacro %}

{#- Bounds of a share's 95 % interval by its score (E. B. Wilson, Probable inference, the law of succession, and
    statistical inference, JASA 22, 1927, 209-212). `hits` of `trials`, whole numbers; null where there was no trial.
    The lower bound of 0 hits is exactly 0 and the upper bound of all hits exactly 1, which rounding would miss. -#}
{% macro wilson_low(hits, trials) -%}
    case when {{ hits }} = 0 and {{ trials }} > 0 then 0e0 else {{ wilson_bound(hits, trials, '-') }} end
{%- endmacro %}

{% macro wilson_high(hits, trials) -%}
    case when {{ hits }} = {{ trials }} and {{ trials }} > 0 then 1e0 else {{ wilson_bound(hits, trials, '+') }} end
{%- endmacro %}

{#- An exponent makes a literal a double; without one it is a decimal, which rounds. -#}
{% macro wilson_bound(hits, trials, sign) -%}
    {%- set z = var('interval_z') -%}
    {%- set variance = "cast(" ~ hits ~ " as double) * (" ~ trials ~ " - " ~ hits ~ ") / nullif(" ~ trials ~ ", 0)" -%}
    ({{ hits }} + {{ z * z / 2 }}e0 {{ sign }} {{ z }}e0 * sqrt({{ variance }} + {{ z * z / 4 }}e0)) / ({{ trials }} + {{ z * z }}e0)
{%- endmacro %}

{#- The bin of a confidence, from 0. 1.0 belongs to the last bin, not to a bin of its own. -#}
{% macro confidence_bin(confidence) -%}
    least(cast(floor({{ confidence }} * {{ var('confidence_bins') }}) as integer), {{ var('confidence_bins') }} - 1)
{%- endmacro %}

{#- One row per text of a list. -#}
{% macro rows_of(column, texts) -%}
    select listed.{{ column }} from (values {% for text in texts %}('{{ text }}'){% if not loop.last %}, {% endif %}{% endfor %}) as listed ({{ column }})
{%- endmacro %}
