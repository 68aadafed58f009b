{#- Our own materializations and strategies, under names of their own; those of dbt are not overridden. -#}

{#- A table that each batch computes as a whole: one statement drops and recreates it in one transaction. dbt's `table`
    creates a second table and renames both. With this materialization a batch after one event (71 models, 47 tests, on
    the developers' machine) takes 10.2 s of CPU instead of 12.5 s. -#}
{% materialization replaced, adapter='duckdb' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set table = this.incorporate(type='table') -%}
    {%- do adapter.ensure_transaction() -%}
    {%- call statement('main') %}
        {% if existing is not none %} drop {{ existing.type }} if exists {{ existing }} cascade; {% endif %}
        {{ create_table_as(false, table, compiled_code) }}
    {%- endcall -%}
    {%- do adapter.commit() -%}
    {{ return({'relations': [table]}) }}
{% endmaterialization %}

{#- A table that a batch computes in part, by one of two strategies of dbt's materialization `incremental`.

    scoped    A table with history, such as every mart with history. The strategy deletes the rows in the batch's scope
              (macros/scope.sql) and appends the rows that the model computes now, so that rows vanish with their
              events. The model names the lists of its scope in a comment `depends_on`.
    affected  A list of what a batch recomputes, replaced by each batch. The entries of an unfinished batch stay for the
              next one.

    Each strategy is one text of several statements, run in one transaction. -#}

{% macro get_incremental_scoped_sql(arguments) -%}
    {%- set table = arguments['target_relation'] -%}
    {%- set scope = in_scope(config.get('meta')) -%}
    {{ note_changed_days(table, scope) }}
    delete from {{ table }} where {{ scope }};
    {{ append_rows(arguments) }};
    {{ note_changed_days(table, scope) }}
{%- endmacro %}

{% macro get_incremental_affected_sql(arguments) -%}
    delete from {{ arguments['target_relation'] }}
    where not (select bool_or(is_repair) from {{ source('build', 'batch') }});
    {{ append_rows(arguments) }}
    except
    select {{ get_quoted_csv(arguments['dest_columns'] | map(attribute='name')) }} from {{ arguments['target_relation'] }};
{%- endmacro %}

{% macro append_rows(arguments) -%}
    {%- set columns = get_quoted_csv(arguments['dest_columns'] | map(attribute='name')) -%}
    insert into {{ arguments['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arguments['temp_relation'] }}
{%- endmacro %}

{#- For a mart: the days of deleted and added rows, for publishing (orchestration/dbt/build_state.py). -#}
{% macro note_changed_days(table, scope) -%}
    {%- if table.schema == 'marts' %}
    insert into build.changed_days
    select distinct '{{ table.identifier }}', {{ day_of(day_column(config.get('meta'))) }} from {{ table }} where {{ scope }};
    {%- endif %}
{%- endmacro %}

{#- Two checks that dbt makes of every incremental model and that can find nothing here. A changed model is built anew
    (orchestration/dbt/build_state.py), so a batch that appends finds the columns that its own text made. -#}

{#- Columns by a description of the new rows; dbt's own reads the catalog for both tables and compares. -#}
{% macro duckdb__process_schema_changes(on_schema_change, source_relation, target_relation) -%}
    {{- return(adapter.get_column_schema_from_query('select * from ' ~ source_relation ~ ' limit 0')) -}}
{%- endmacro %}

{% macro spark__process_schema_changes(on_schema_change, source_relation, target_relation) -%}
    {{- return(default__process_schema_changes(on_schema_change, source_relation, target_relation)) -}}
{%- endmacro %}

{#- A contract is compared with a query where everything is computed, by two descriptions for each model. -#}
{% macro duckdb__get_assert_columns_equivalent(sql) -%}
    {%- if should_full_refresh() or load_cached_relation(this) is none -%}
        {{- return(assert_columns_equivalent(sql)) -}}
    {%- endif -%}
{%- endmacro %}

{% macro spark__get_assert_columns_equivalent(sql) -%} {{- return(assert_columns_equivalent(sql)) -}} {%- endmacro %}
