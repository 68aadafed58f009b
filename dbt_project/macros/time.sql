{#- Instants, local times and durations: the places where DuckDB and Spark SQL differ. -#}

{#- The local time of a time zone at an instant, as a timestamp without zone. -#}
{% macro to_local(instant, timezone) -%} {{ adapter.dispatch('to_local', 'floorhouse')(instant, timezone) }} {%- endmacro %}
{% macro duckdb__to_local(instant, timezone) -%} timezone({{ timezone }}, {{ instant }}) {%- endmacro %}
{% macro spark__to_local(instant, timezone) -%} from_utc_timestamp({{ instant }}, {{ timezone }}) {%- endmacro %}

{#- An instant at which a time zone's clock shows a local time; a skipped local time moves on by the gap. -#}
{% macro to_instant(local_time, timezone) -%} {{ adapter.dispatch('to_instant', 'floorhouse')(local_time, timezone) }} {%- endmacro %}
{% macro duckdb__to_instant(local_time, timezone) -%} timezone({{ timezone }}, {{ local_time }}) {%- endmacro %}
{% macro spark__to_instant(local_time, timezone) -%} to_utc_timestamp({{ local_time }}, {{ timezone }}) {%- endmacro %}

{#- The first instant at which the clock shows a local time. DuckDB returns the second of two; the first one, if it
    exists, has the offset of the day before. -#}
{% macro first_instant(local_time, timezone) -%}
    {%- set last_instant = to_instant(local_time, timezone) -%}
    {%- set day_before = last_instant ~ " - interval 1 day" -%}
    {%- set earlier = to_instant(
        local_time ~ " - (" ~ to_local(day_before, timezone) ~ " - " ~ to_local(day_before, "'UTC'") ~ ")", "'UTC'"
    ) -%}
    case
        when {{ to_local(earlier, timezone) }} = {{ local_time }} then least({{ earlier }}, {{ last_instant }})
        else {{ last_instant }}
    end
{%- endmacro %}

{#- The UTC date of an instant. In DuckDB without its time zone functions, which take ten times as long. -#}
{% macro utc_date(instant) -%} {{ adapter.dispatch('utc_date', 'floorhouse')(instant) }} {%- endmacro %}
{% macro duckdb__utc_date(instant) -%} cast(make_timestamp(epoch_us({{ instant }})) as date) {%- endmacro %}
{% macro spark__utc_date(instant) -%} cast({{ to_local(instant, "'UTC'") }} as date) {%- endmacro %}

{#- The start of the hour on a site's clock. `hour_shift` is how far the clock's full hours lie ahead of those of UTC,
    in microseconds. -#}
{% macro local_hour(instant, hour_shift) -%} {{ adapter.dispatch('local_hour', 'floorhouse')(instant, hour_shift) }} {%- endmacro %}
{% macro duckdb__local_hour(instant, hour_shift) -%}
    make_timestamptz(epoch_us({{ instant }}) - (epoch_us({{ instant }}) + {{ hour_shift }}) % 3600000000)
{%- endmacro %}
{% macro spark__local_hour(instant, hour_shift) -%}
    timestamp_micros(unix_micros({{ instant }}) - (unix_micros({{ instant }}) + {{ hour_shift }}) % 3600000000)
{%- endmacro %}

{#- How far the full hours of a time zone's clock lie ahead of those of UTC at an instant, in microseconds (bigint). -#}
{% macro hour_shift(instant, timezone) -%} {{ adapter.dispatch('hour_shift', 'floorhouse')(instant, timezone) }} {%- endmacro %}
{% macro duckdb__hour_shift(instant, timezone) -%}
    ((epoch_us(timezone({{ timezone }}, {{ instant }})) - epoch_us({{ instant }})) % 3600000000 + 3600000000) % 3600000000
{%- endmacro %}
{% macro spark__hour_shift(instant, timezone) -%}
    pmod(unix_micros(from_utc_timestamp({{ instant }}, {{ timezone }})) - unix_micros({{ instant }}), 3600000000)
{%- endmacro %}

{#- The instant at which a UTC date begins. -#}
{% macro utc_midnight(date) -%} {{ to_instant("cast(" ~ date ~ " as timestamp)", "'UTC'") }} {%- endmacro %}

{#- Whole microseconds from one instant to another (bigint), exact. -#}
{% macro microseconds_between(started_at, ended_at) -%} {{ adapter.dispatch('microseconds_between', 'floorhouse')(started_at, ended_at) }} {%- endmacro %}
{% macro duckdb__microseconds_between(started_at, ended_at) -%} (epoch_us({{ ended_at }}) - epoch_us({{ started_at }})) {%- endmacro %}
{% macro spark__microseconds_between(started_at, ended_at) -%} (unix_micros({{ ended_at }}) - unix_micros({{ started_at }})) {%- endmacro %}

{#- An instant plus whole microseconds. -#}
{% macro add_microseconds(instant, microseconds) -%} {{ adapter.dispatch('add_microseconds', 'floorhouse')(instant, microseconds) }} {%- endmacro %}
{% macro duckdb__add_microseconds(instant, microseconds) -%} ({{ instant }} + to_microseconds({{ microseconds }})) {%- endmacro %}
{% macro spark__add_microseconds(instant, microseconds) -%} timestamp_micros(unix_micros({{ instant }}) + {{ microseconds }}) {%- endmacro %}

{#- The UTC minute that an instant lies in. -#}
{% macro utc_minute(instant) -%} {{ adapter.dispatch('utc_minute', 'floorhouse')(instant) }} {%- endmacro %}
{% macro duckdb__utc_minute(instant) -%} make_timestamptz(epoch_us({{ instant }}) // 60000000 * 60000000) {%- endmacro %}
{% macro spark__utc_minute(instant) -%} date_trunc('minute', {{ instant }}) {%- endmacro %}

{#- The whole numbers from 0 to `highest`, one row each, column `number`. -#}
{% macro numbers(highest) -%}
    {%- for number in range(highest + 1) %}
    select {{ number }} as number{% if not loop.last %} union all{% endif %}
    {%- endfor %}
{%- endmacro %}

{#- Each row of a relation once per UTC date that it touches, as `covered_on`, up to `days_after` days after the first.
    With it the search for the row that contains an instant is an equality join. -#}
{% macro on_each_date(relation, days_after=2, started_at='started_at', ended_at='ended_at') -%}
    {%- set date = utc_date(relation ~ '.' ~ started_at) ~ ' + numbers.number * interval 1 day' -%}
    select
        {{ relation }}.*,
        cast({{ date }} as date) as covered_on
    from {{ relation }}
    inner join ({{ numbers(days_after) }}) as numbers
        on {{ date }} <= {{ utc_date(relation ~ '.' ~ ended_at) }}
{%- endmacro %}
