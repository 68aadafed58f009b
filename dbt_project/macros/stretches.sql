{#- Stretches of time that continue across the ends of windows. -#}

{#- How many windows a stretch can enter after the one that it began in: the maximum number of borders that a subject
    crossed between two of its states. Read from the database, so that the model has exactly as many steps as it needs.
    -#}
{% macro windows_in_a_row() -%}
    {%- if not execute -%} {{- return(1) -}} {%- endif -%}
    {#- Not a ref, because a unit test has only its own rows. The models that use it depend on it through another ref.
        -#}
    {%- set crossings = api.Relation.create(
        database='scratch', schema='intermediate', identifier='int_crossings', type='table'
    ) -%}
    {%- if load_cached_relation(crossings) is none -%} {{- return(0) -}} {%- endif -%}
    {{- return(run_query(most_crossings(crossings)).rows[0][0]) -}}
{%- endmacro %}

{% macro most_crossings(crossings) -%}
    select cast(coalesce(max(crossing_count), 0) as integer)
    from (
        select count(*) as crossing_count
        from {{ crossings }}
        group by subject_number, next_state_event_at
    ) as counted
{%- endmacro %}

{#- Microseconds that a stretch from `started_at` to `ended_at` adds to time already covered up to an instant. -#}
{% macro microseconds_added(covered_until) -%}
    greatest({{ microseconds_between("greatest(started_at, coalesce(" ~ covered_until ~ ", started_at))", 'ended_at') }}, 0)
{%- endmacro %}

{#- Stretches of time through which a state may have continued from window to window, as stored by the last batch:
    passable windows (int_passable_window_history, which is itself computed from this) that meet or overlap are merged.
    -#}
{% macro passable_stretches() -%}
    {%- set windows = none if not execute else api.Relation.create(
        database=target.database, schema='intermediate', identifier='int_passable_window_history', type='table'
    ) -%}
    {%- if windows is none or load_cached_relation(windows) is none -%}
        select
            cast(null as varchar) as site_id,
            cast(null as timestamp with time zone) as started_at,
            cast(null as timestamp with time zone) as ended_at
        where false
    {%- else -%}
        select
            site_id,
            min(window_started_at) as started_at,
            max(window_ended_at) as ended_at
        from (
            select
                *,
                sum(case when passable_until >= window_started_at then 0 else 1 end) over (
                    partition by site_id
                    order by window_started_at asc, window_ended_at asc
                    rows between unbounded preceding and current row
                ) as stretch_number
            from (
                select
                    *,
                    max(window_ended_at) over (
                        partition by site_id
                        order by window_started_at asc, window_ended_at asc
                        rows between unbounded preceding and 1 preceding
                    ) as passable_until
                from (select distinct site_id, window_started_at, window_ended_at from {{ windows }}) as windows
            ) as ordered
        ) as numbered
        group by site_id, stretch_number
    {%- endif -%}
{%- endmacro %}
