{#- The first of several conditions that is not true for a row, as text; null if all are true. -#}
{% macro first_broken(rules) -%}
    case
        {%- for rule in rules %}
        when not coalesce({{ rule }}, false) then '{{ rule | replace("'", "''") }}'
        {%- endfor %}
    end
{%- endmacro %}
