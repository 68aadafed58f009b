{#- The first of several conditions that does not hold for a row, as text; null where all of them hold. -#}
{% macro first_broken(rules) -%}
    case
        {%- for rule in rules %}
        when not coalesce({{ rule }}, false) then '{{ rule | replace("'", "''") }}'
        {%- endfor %}
    end
{%- endmacro %}
