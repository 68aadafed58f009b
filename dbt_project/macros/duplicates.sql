{#- Which of several records is kept (contract §2 and §3). -#}

{#- The order of duplicates from several cameras or models; the first one is kept. -#}
{% macro best_duplicate() -%}
    confidence desc, unit_count desc, camera_id asc, model_name asc, model_version asc
{%- endmacro %}

{#- The record that is kept of one camera, model and version: the largest pair of confidence (`first`) and count
    (`second`), compared in that order. -#}
{% macro best_of_one_camera() -%} max({{ pair('confidence', 'unit_count') }}) {%- endmacro %}

{#- The order of a counter's readings at one instant; the first one counts. `worker_id` may be NULL. -#}
{% macro best_reading() -%}
    count_total desc, confidence desc, worker_id asc nulls first, model_name asc, model_version asc
{%- endmacro %}
