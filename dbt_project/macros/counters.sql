{#- Counters that only grow (contract §2): the instant by which a reading counts, and the earlier readings. -#}

{#- The instant by which an event counts in rules about windows, hours, arrival and stretches. A reading counts earlier
    than its timestamp, because its units were made before it. -#}
{% macro counted_at(event_at, count_total) -%}
    case when {{ count_total }} is null then {{ event_at }} else {{ add_microseconds(event_at, -1) }} end
{%- endmacro %}

{#- The readings stored by earlier batches. Not a ref, because that table is computed from this comparison. -#}
{% macro readings_before() -%}
    {#- None in a unit test, before the first batch, and on a rebuild. -#}
    {%- if execute and not should_full_refresh() and load_cached_relation(counter_readings()) is not none -%}
        {{ counter_readings() }}
    {%- else -%}
        (
            select
                cast(null as varchar) as site_id,
                cast(null as varchar) as camera_id,
                cast(null as varchar) as workstation_id,
                cast(null as timestamp with time zone) as event_at,
                cast(null as bigint) as count_total,
                cast(null as bigint) as largest_total,
                cast(null as bigint) as unit_count
            where false
        )
    {%- endif -%}
{%- endmacro %}

{% macro counter_readings() -%}
    {{- return(api.Relation.create(
        database=target.database, schema='intermediate', identifier='int_counter_readings', type='table'
    )) -}}
{%- endmacro %}
