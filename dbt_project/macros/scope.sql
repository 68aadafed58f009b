{#- A batch's scope: the windows, dates and objects that it recomputes, and the rows of a table that belong to them.

    A table with the strategy `scoped` declares in its meta what a row belongs to:
      scope  window (site_id, shift_date, shift_id), shift_date (site_id, shift_date), date (site_id, event_date),
             camera_date (the same columns; dates whose cameras are evaluated again), object (object_key, etag) or
             reading (site_id, camera_id, workstation_id, event_at)
      day    the column with a row's day; an instant counts as its UTC date. With the scope date, an instant replaces
             event_date
      names  a list of worker and workstation: those whose registry entry the row also shows -#}

{% macro scope_keys(scope) -%}
    {%- set keys = {
        'window': ['site_id', 'shift_date', 'shift_id'],
        'shift_date': ['site_id', 'shift_date'],
        'date': ['site_id', 'event_date'],
        'camera_date': ['site_id', 'event_date'],
        'object': ['object_key', 'etag'],
        'reading': ['site_id', 'camera_id', 'workstation_id', 'event_at'],
    } -%}
    {%- if scope not in keys -%}
        {%- do exceptions.raise_compiler_error(
            'A scoped table says by its meta what a row belongs to, such as {"scope": "window"}; see macros/scope.sql.'
        ) -%}
    {%- endif -%}
    {{- return(keys[scope]) -}}
{%- endmacro %}

{#- The day column of a scope's list; none if it has no day. -#}
{% macro scope_day(scope) -%}
    {{- return({
        'window': 'shift_date', 'shift_date': 'shift_date', 'object': none, 'reading': 'event_at'
    }.get(scope, 'event_date')) -}}
{%- endmacro %}

{% macro day_column(meta) -%}
    {{- return(meta.get('day') or scope_day(meta['scope'])) -}}
{%- endmacro %}

{#- The list of a scope. A shift date is in scope if any of its windows is, because stations with targets have rows for
    all windows of a date. -#}
{% macro list_of(scope) -%}
    {{- return(ref('int_affected_' ~ {'shift_date': 'window'}.get(scope, scope) ~ 's')) -}}
{%- endmacro %}

{#- The lists int_affected_* of a scope and of names. A scoped model names them in a comment `depends_on`, so that dbt
    knows the edges. A unit test has its own rows instead of a scope. -#}
{% macro lists_of(scope, names=[]) -%}
    {%- if model.resource_type != 'unit_test' -%}
        {{ list_of(scope) }}
        {%- for name in names %}, {{ list_of(name) }} {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#- A condition for the rows of a scoped table that this batch recomputes. `meta` is the table's. -#}
{% macro in_scope(meta) -%}
    {%- if model.resource_type == 'unit_test' -%} {{- return('true') -}} {%- endif -%}
    {%- set scope = meta['scope'] -%}
    {%- set keys = scope_keys(scope) -%}
    {%- set affected = list_of(scope) -%}
    {%- set day = day_column(meta) -%}
    {%- set columns = ['site_id', day_of(day)] if scope == 'date' and day not in keys else keys -%}
    (
        {%- if scope_day(scope) %} {{ within_days(day, affected, scope_day(scope)) }} and {% endif -%}
        ({{ columns | join(', ') }}) in (select {{ keys | join(', ') }} from {{ affected }})
    )
    {%- for name in meta.get('names') or [] %}
        or (site_id, {{ name }}_id) in (select site_id, {{ name }}_id from {{ list_of(name) }})
    {%- endfor %}
{%- endmacro %}

{#- The same for the current model: the rows that it takes from a table with all history. -#}
{% macro computed_again() -%}
    {{- in_scope(model.config.meta) if execute else 'true' -}}
{%- endmacro %}

{#- The rows that a data test reads: for a scoped table those that this batch computed, because all others passed when
    they were computed (a changed name is no reason to test a row's numbers again); for other tables all rows. -#}
{% macro tested_rows(table, scope=none, day=none) -%}
    {%- if scope -%}
        (select * from {{ table }} where {{ in_scope({'scope': scope, 'day': day}) }}) as tested
    {%- else -%}
        {{ table }}
    {%- endif -%}
{%- endmacro %}

{#- A condition that a column lies on one of the days in another table's column, written as literals so that the
    database skips other days of a long history. Meant for few days; scattered days become one whole range. -#}
{% macro within_days(column, relation, day) -%}
    {#- Always true if there is no such table: in a unit test, and before the first batch. -#}
    {%- if not execute or load_cached_relation(relation) is none -%} true
    {%- else -%}
        {%- set ranges = run_query(day_ranges(relation, day)).rows -%}
        {%- if ranges | length == 0 -%} false
        {%- elif ranges | length > 50 -%} {{ within(column, ranges[0][0], ranges[-1][1]) }}
        {%- else -%}
            (
            {%- for range in ranges %}
                {{- within(column, range[0], range[1]) }}
                {%- if not loop.last %} or {% endif %}
            {%- endfor -%}
            )
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{% macro within(column, first_day, day_after) -%}
    ({{ column }} >= '{{ first_day }}' and {{ column }} < '{{ day_after }}')
{%- endmacro %}

{#- Consecutive days as one range: the first day, and the day after the last. -#}
{% macro day_ranges(relation, day) -%}
    with days as (

        select distinct {{ day_of(day) }} as day
        from {{ relation }}

    ),

    numbered as (

        select
            day,
            row_number() over (order by day) as number

        from days

    )

    select
        cast(min(day) as varchar) as first_day,
        cast(cast(max(day) + interval 1 day as date) as varchar) as day_after
    from numbered
    group by cast(day - number * interval 1 day as date)
    order by min(day)
{%- endmacro %}

{#- The date of a date, or the UTC date of an instant (the session's time zone is UTC). -#}
{% macro day_of(column) -%} cast({{ column }} as date) {%- endmacro %}

{#- The rows that only one of two tables with the same columns has: the current one and the previous one. -#}
{% macro changed_rows(now, before) -%}
    (
        select * from {{ now }}
        except
        select * from {{ before }}
    )
    union all
    (
        select * from {{ before }}
        except
        select * from {{ now }}
    )
{%- endmacro %}

{#- The rows of cameras.csv that only one of its two versions has: the current one and that of the last build. -#}
{% macro changed_cameras() -%}
    with cameras as (

        select
            site_id,
            camera_id,
            workstation_id,
            is_counting_units,
            is_counting_states,
            valid_from,
            valid_to
        from {{ ref('stg_raw__cameras') }}

    ),

    cameras_before as (

        select
            site_id,
            camera_id,
            workstation_id,
            counts as is_counting_units,
            states as is_counting_states,
            valid_from,
            valid_to
        from {{ source('build', 'cameras') }}

    )

    {{ changed_rows('cameras', 'cameras_before') }}
{%- endmacro %}
