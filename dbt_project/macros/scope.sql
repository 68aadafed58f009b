{#- A batch's scope: the windows, dates and objects that it computes again, and the rows of a table that belong to it.

    A table of the materialization `scoped` says by its meta what a row belongs to:
      scope  window (site_id, shift_date, shift_id), shift_date (site_id, shift_date), date (site_id, event_date),
             camera_date (the same columns; dates whose cameras are judged again), object (object_key, etag) or
             reading (site_id, camera_id, workstation_id, event_at)
      at     with the scope date: the instant whose UTC date it is, where there is no column event_date
      dated  with the scope object: the column by whose UTC date a large mart is published
      names  a list of worker and workstation, where a row also shows what a registry says of one -#}

{% macro scope_keys(scope) -%}
    {{- return({
        'window': ['site_id', 'shift_date', 'shift_id'],
        'shift_date': ['site_id', 'shift_date'],
        'date': ['site_id', 'event_date'],
        'camera_date': ['site_id', 'event_date'],
        'object': ['object_key', 'etag'],
        'reading': ['site_id', 'camera_id', 'workstation_id', 'event_at'],
    }.get(scope)) -}}
{%- endmacro %}

{#- The table that lists a scope. Not a ref: every scoped table is computed from the scope through the models before it. -#}
{% macro affected(name) -%}
    {{- return(api.Relation.create(
        database=target.database, schema='intermediate', identifier='int_affected_' ~ name ~ 's', type='table'
    )) -}}
{%- endmacro %}

{#- The rows of a scoped table that this batch computes again, as a condition. `meta` is the table's. -#}
{% macro in_scope(meta) -%}
    {%- if not execute -%} {{- return('true') -}} {%- endif -%}
    {%- set scope = meta['scope'] -%}
    {%- set keys = scope_keys(scope) -%}
    {%- set columns = ['site_id', day_of(meta['at'])] if meta.get('at') else keys -%}
    {%- set day = {
        'window': 'shift_date', 'shift_date': 'shift_date', 'object': none, 'reading': 'event_at'
    }.get(scope, 'event_date') -%}
    (
        {%- if day %} {{ within_days(meta.get('at', day), affected(scope), day) }} and {% endif -%}
        ({{ columns | join(', ') }}) in (select {{ keys | join(', ') }} from {{ affected(scope) }})
    )
    {%- for name in meta.get('names') or [] %}
        or (site_id, {{ name }}_id) in (select site_id, {{ name }}_id from {{ affected(name) }})
    {%- endfor %}
{%- endmacro %}

{#- The same for the model that is being built: what it takes from a table that holds its whole history. -#}
{% macro computed_again() -%}
    {{- in_scope(model.config.meta) if execute else 'true' -}}
{%- endmacro %}

{#- A column that lies on one of the days that a column of another table has, as literals: with them the database skips
    the parts of a long history that hold other days. Meant for few days; of scattered ones it takes the whole range. -#}
{% macro within_days(column, relation, day) -%}
    {#- Also true where there is no such table: a unit test's rows, a warehouse without its first batch. -#}
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

{#- Days that follow each other as one range: the first one and the one after the last. -#}
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

{#- A data test of a scoped table reads the rows that this batch computed: the others passed when they were. (A changed
    name is no reason to test a row's numbers again.) -#}
{% macro get_where_subquery(relation) -%}
    {%- set nodes = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model')
        | selectattr('name', 'equalto', relation.identifier) | list if execute else [] -%}
    {%- set where = config.get('where') if execute -%}
    {%- set conditions = [where] if where else [] -%}
    {%- if nodes and nodes[0].config.materialized == 'scoped' -%}
        {%- do conditions.append(in_scope(dict(nodes[0].config.meta, names=none))) -%}
    {%- endif -%}
    {%- do return('(select * from ' ~ relation ~ ' where (' ~ conditions | join(') and (') ~ ')) as tested' if conditions else relation) -%}
{%- endmacro %}

{#- The rows that only one of two tables of the same columns has: what is now, and what was before. -#}
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
