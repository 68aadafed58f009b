{#- How tables are written: each in one transaction, with as few statements as it takes. A batch has some hundred models
    and tests, and dbt's own way of a table, with its renamed copies, costs more than most of them. -#}

{#- Drop what was there and fill it anew; the caller commits. -#}
{% macro replace_table(existing, target_relation, compiled_code) -%}
    {%- do adapter.ensure_transaction() -%}
    {%- call statement('main') %}
        {{ drop_statement(existing) }}
        {{ create_table_as(false, target_relation, compiled_code) }}
    {%- endcall -%}
{%- endmacro %}

{% macro drop_statement(existing) -%}
    {%- if existing is not none %} drop {{ existing.type }} if exists {{ existing }} cascade; {% endif -%}
{%- endmacro %}

{#- A view is only its text: it is written anew in place. -#}
{% materialization view, adapter='duckdb' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- do adapter.ensure_transaction() -%}
    {%- call statement('main') %}
        {{ drop_statement(existing) }}
        {{ create_view_as(target_relation, compiled_code) }}
    {%- endcall -%}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#- A table that is computed whole by each batch. -#}
{% materialization table, adapter='duckdb' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- do replace_table(load_cached_relation(this), target_relation, compiled_code) -%}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#- A table with history: the rows of the scope (macros/scope.sql) are deleted, and those that the model computes now
    are appended, so that rows vanish when their events do. -#}
{% materialization scoped, adapter='duckdb' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- if not scope_keys(config.get('meta', {}).get('scope')) -%}
        {%- do exceptions.raise_compiler_error(
            'A scoped table says by its meta what a row belongs to, such as {"scope": "window"}; see macros/scope.sql.'
        ) -%}
    {%- endif -%}
    {%- if existing is none or should_full_refresh() -%}
        {%- do replace_table(existing, target_relation, compiled_code) -%}
        {%- do note_changed_days(target_relation, none) -%}
    {%- else -%}
        {%- set scope = in_scope(config.get('meta')) -%}
        {%- do adapter.ensure_transaction() -%}
        {%- do note_changed_days(target_relation, scope) -%}
        {%- call statement('delete') -%} delete from {{ target_relation }} where {{ scope }} {%- endcall -%}
        {%- call statement('main') -%}
            insert into {{ target_relation }} by name
            {{ compiled_code }}
        {%- endcall -%}
        {%- do note_changed_days(target_relation, scope) -%}
    {%- endif -%}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#- Of a mart, the days of rows that go or have come, for publishing (orchestration/dbt/build_state.py); none is any day. -#}
{% macro note_changed_days(relation, scope) -%}
    {%- if relation.schema == 'marts' -%}
        {%- set meta = config.get('meta') -%}
        {%- set day = meta.get('at') or {'window': 'shift_date', 'shift_date': 'shift_date', 'object': meta.get('dated')}.get(meta['scope'], 'event_date') -%}
        {%- call statement('note') -%}
            {%- if scope is none %}
            insert into build.changed_days values ('{{ relation.identifier }}', null);
            insert into build.histories
            select '{{ relation.identifier }}'
            where '{{ relation.identifier }}' not in (select mart from build.histories)
            {%- else %}
            insert into build.changed_days
            select distinct '{{ relation.identifier }}', {{ day_of(day) }} from {{ relation }} where {{ scope }}
            {%- endif %}
        {%- endcall -%}
    {%- endif -%}
{%- endmacro %}

{#- A list of what a batch computes again. What a batch that did not finish has listed stays listed. -#}
{% materialization affected, adapter='duckdb' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set keeps = existing is not none and not should_full_refresh()
        and run_query('select bool_or(is_repair) from ' ~ source('build', 'batch')).rows[0][0] -%}

    {%- if keeps -%}
        {%- do adapter.ensure_transaction() -%}
        {%- call statement('main') -%}
            insert into {{ target_relation }} by name
            ({{ compiled_code }}) except select * from {{ target_relation }}
        {%- endcall -%}
    {%- else -%}
        {%- do replace_table(existing, target_relation, compiled_code) -%}
    {%- endif -%}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
