{#- How tables that outlive a batch are written. Both do what they do in one transaction, and the same again after a
    batch that was killed. -#}

{#- A table with history: the rows of the scope (macros/scope.sql) are deleted, and those that the model computes now
    are appended, so that rows vanish when their events do. -#}
{% materialization scoped, adapter='duckdb' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set is_new = existing is none or should_full_refresh() -%}

    {%- if not scope_keys(config.get('meta', {}).get('scope')) -%}
        {%- do exceptions.raise_compiler_error(
            'A scoped table says by its meta what a row belongs to, such as {"scope": "window"}; see macros/scope.sql.'
        ) -%}
    {%- endif -%}
    {{ run_hooks(pre_hooks) }}
    {%- set scope = none if is_new else in_scope(config.get('meta')) -%}
    {%- do adapter.ensure_transaction() -%}
    {%- if is_new -%}
        {%- if existing is not none -%} {%- do adapter.drop_relation(existing) -%} {%- endif -%}
        {%- call statement('main') -%} {{ create_table_as(false, target_relation, compiled_code) }} {%- endcall -%}
    {%- else -%}
        {%- call statement('delete') -%} delete from {{ target_relation }} where {{ scope }} {%- endcall -%}
        {%- call statement('main') -%}
            insert into {{ target_relation }} by name
            {{ compiled_code }}
        {%- endcall -%}
    {%- endif -%}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks) }}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#- A list of what a batch computes again. What a batch that did not finish has listed stays listed. -#}
{% materialization affected, adapter='duckdb' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set keeps = existing is not none and not should_full_refresh()
        and run_query('select bool_or(is_repair) from ' ~ source('build', 'batch')).rows[0][0] -%}

    {%- do adapter.ensure_transaction() -%}
    {%- if keeps -%}
        {%- call statement('main') -%}
            insert into {{ target_relation }} by name
            ({{ compiled_code }}) except select * from {{ target_relation }}
        {%- endcall -%}
    {%- else -%}
        {%- if existing is not none -%} {%- do adapter.drop_relation(existing) -%} {%- endif -%}
        {%- call statement('main') -%} {{ create_table_as(false, target_relation, compiled_code) }} {%- endcall -%}
    {%- endif -%}
    {%- do adapter.commit() -%}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
