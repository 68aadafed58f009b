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

{#- The walk from window to window, as common table expressions of a query. `reached` has the rows of `begun`, and at each
    step the rows of `repeated` that start at the window end of a row reached before, if `goes_on` is true of that row.
    Both relations have the same columns in the same order, among them subject_number, started_at and
    window_ended_at. -#}
{% macro walk_over_windows(repeated, goes_on) -%}
    {%- set steps = windows_in_a_row() -%}
    {%- for step in range(1, steps + 1) -%}
step_{{ step }} as (

    select {{ repeated }}.*

    from (select * from {{ 'begun' if step == 1 else 'step_' ~ (step - 1) }} where {{ goes_on }}) as earlier

    inner join {{ repeated }}
        on earlier.subject_number = {{ repeated }}.subject_number
        and earlier.window_ended_at = {{ repeated }}.started_at

),

    {% endfor -%}
reached as (

    select * from begun
    {%- for step in range(1, steps + 1) %}
    union all
    select * from step_{{ step }}
    {%- endfor %}

),
{%- endmacro %}

{#- The latest end among the rows of the same `subject` before a row, in this order; null for the first one. -#}
{% macro ended_before(subject, ended_at='ended_at', in_order='started_at asc, ended_at asc') -%}
max({{ ended_at }}) over (
    partition by {{ subject }}
    order by {{ in_order }}
    rows between unbounded preceding and 1 preceding
)
{%- endmacro %}

{#- The number of a row's stretch among those of its `subject`: a row for which `goes_on` is not true begins a new one.
    -#}
{% macro stretch_number(goes_on, subject, in_order='started_at asc, ended_at asc') -%}
sum(case when {{ goes_on }} then 0 else 1 end) over (
    partition by {{ subject }}
    order by {{ in_order }}
    rows between unbounded preceding and current row
)
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
                {{ stretch_number('passable_until >= window_started_at', 'site_id', 'window_started_at asc, window_ended_at asc') }}
                    as stretch_number
            from (
                select
                    *,
                    {{ ended_before('site_id', 'window_ended_at', 'window_started_at asc, window_ended_at asc') }}
                        as passable_until
                from (select distinct site_id, window_started_at, window_ended_at from {{ windows }}) as windows
            ) as ordered
        ) as numbered
        group by site_id, stretch_number
    {%- endif -%}
{%- endmacro %}

{#- The `from` clause that joins to each window all `segments` of the windows that share time with it. -#}
{% macro segments_shared_with(windows, segments) -%}
    {{ windows }}

    inner join {{ segments }} as own_segments
        on {{ windows }}.site_id = own_segments.site_id
        and {{ windows }}.shift_date = own_segments.shift_date
        and {{ windows }}.shift_id = own_segments.shift_id

    inner join {{ segments }} as segments
        on own_segments.site_id = segments.site_id
        and own_segments.started_at = segments.started_at
{%- endmacro %}
